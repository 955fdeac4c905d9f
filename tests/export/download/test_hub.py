"""The hub is asked for what a source names, as huggingface_hub does, and what it refuses is one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from published_files import COMMIT, Publisher, git_sha1, sha256

from depthrt import BackendUnavailable, FetchError
from depthrt.export.download.hub import blob_path, choose, find_in_cache, list_files, put_into_cache
from depthrt.export.download.transfer import download
from depthrt.export.families.entry import HubSource

WEIGHTS, CONFIG = bytes(range(256)) * 4, b"{}"
SOURCE = HubSource("a/Model", ("config.json", "unet/*.safetensors"), folder=True)


@pytest.fixture
def hub(publisher: Publisher) -> Publisher:
    publisher.models["a/Model"] = {
        "README.md": b"# Model",
        "config.json": CONFIG,
        "unet/x.safetensors": WEIGHTS,
        "vae/x.safetensors": WEIGHTS[::-1],
    }
    return publisher


def test_a_listing_has_sizes_and_hashes_of_what_the_source_names(hub: Publisher) -> None:
    listing = list_files(SOURCE)
    assert listing.commit == COMMIT
    small, large = listing.files
    assert (small.name, small.size_bytes, small.sha256, small.git_sha1) == ("config.json", 2, "", git_sha1(CONFIG))
    assert (large.name, large.size_bytes, large.sha256, large.git_sha1) == (
        "unet/x.safetensors",
        len(WEIGHTS),
        sha256(WEIGHTS),
        "",
    )
    assert large.url == f"{hub.address}/a/Model/resolve/{COMMIT}/unet/x.safetensors"


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (("a.bin",), ["a.bin"]),
        (("x/*.bin",), ["x/c.bin", "x/d.bin"]),
        (("no.bin|a.bin",), ["a.bin"]),
        (("a.bin|x/c.bin",), ["a.bin"]),
        (("a.bin", "*.bin"), ["a.bin", "x/c.bin", "x/d.bin"]),
    ],
)
def test_names_patterns_and_alternatives_are_chosen(wanted: tuple[str, ...], chosen: list[str]) -> None:
    assert choose(HubSource("a/b", wanted), ["x/d.bin", "a.bin", "x/c.bin", "README.md"]) == chosen


@pytest.mark.parametrize("name", ["../a.bin", "x/../../a.bin", "/a.bin", "..\\a.bin"])
def test_a_name_that_leads_out_of_the_repository_is_refused(name: str) -> None:
    with pytest.raises(FetchError, match="names a file outside its folder"):
        choose(HubSource("a/b", ("*.bin",)), ["a.bin", name])


def test_what_the_repository_lacks_is_named() -> None:
    with pytest.raises(FetchError, match=r"https://huggingface\.co/a/b has no weights\.bin"):
        choose(HubSource("a/b", ("weights.bin",)), ["a.bin"])


def test_the_cache_is_that_of_the_library(hub: Publisher) -> None:
    assert find_in_cache(SOURCE) is None
    listing = list_files(SOURCE)
    for file in listing.files:
        download(file, blob_path(SOURCE, file))
    hub.asked.clear()
    placed = put_into_cache(SOURCE, listing)
    assert hub.ranges_asked() == [], "no byte was downloaded twice"
    assert [path.read_bytes() for path in placed.values()] == [CONFIG, WEIGHTS]
    assert find_in_cache(SOURCE) == (COMMIT, placed)
    assert {path.parents[name.count("/")].name for name, path in placed.items()} == {COMMIT}


def test_a_repository_that_is_not_there_is_one_line(publisher: Publisher) -> None:
    with pytest.raises(FetchError, match=r"^https://huggingface\.co/a/Model: .*; check the connection") as refused:
        list_files(SOURCE)
    assert "\n" not in str(refused.value)


def test_a_hub_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(FetchError, match=r"Connection refused; check the connection"):
        list_files(SOURCE)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(BackendUnavailable, match=r"pip install 'depthrt\[hub\]'"):
        list_files(SOURCE)


def test_endpoint_cache_and_token_are_those_of_the_environment(hub: Publisher, tmp_path: Path) -> None:
    code = (
        "from depthrt.export.download import hub\n"
        "from depthrt.export.download.transfer import download\n"
        f"source = hub.HubSource{(SOURCE.repository, SOURCE.files, True)!r}\n"
        "listing = hub.list_files(source)\n"
        "for file in listing.files: download(file, hub.blob_path(source, file))\n"
        "print(*hub.put_into_cache(source, listing).values())"
    )
    home = tmp_path / "home"
    settings = {"HF_ENDPOINT": hub.address, "HF_HOME": str(home), "HF_TOKEN": "hf_secret", "HOME": str(tmp_path)}
    hub.gated = True
    found = subprocess.run(
        [sys.executable, "-c", code], env=settings, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert all(path.startswith(str(home)) for path in found.stdout.split())
    assert {asked.token for asked in hub.asked if not asked.host.startswith("localhost")} == {"Bearer hf_secret"}
    assert {asked.token for asked in hub.asked if asked.host.startswith("localhost")} == {""}


def test_files_beside_a_demo_come_from_its_space(hub: Publisher) -> None:
    hub.models["spaces/a/Demo"] = {"app.py": b"pass", "checkpoints/x.pt": WEIGHTS}
    source = HubSource("a/Demo", ("checkpoints/x.pt",), kind="space")
    listing = list_files(source)
    (file,) = listing.files
    assert file.url == f"{hub.address}/spaces/a/Demo/resolve/{COMMIT}/checkpoints/x.pt"
    assert "spaces--a--Demo" in str(blob_path(source, file))
    download(file, blob_path(source, file))
    assert put_into_cache(source, listing)["checkpoints/x.pt"].read_bytes() == WEIGHTS
    assert find_in_cache(source) is not None

"""`depthrt.fetch`: a published model comes once, whole and under its licence, from this machine or its publisher."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from official_state import TINY, folder_with, state_of, tiny_config, to_transformers
from published_files import COMMIT, Publisher
from safetensors.torch import save_file

import depthrt
from depthrt import FetchError, InputError
from depthrt.engine.system.cache.folder import cache_dir
from depthrt.engine.system.cache.lock import file_lock
from depthrt.engine.system.cache.store import digest
from depthrt.export.catalog import CATALOG, find_published
from depthrt.export.checkpoint.checkpoint import describe_checkpoint
from depthrt.export.checkpoint.recognise import find_by_path
from depthrt.export.download.fetch import locate
from depthrt.export.download.fetched import record_path
from depthrt.export.families.entry import CatalogEntry, HubSource

FILE, FOLDER, RESTRICTED, RELEASE = (
    "depth-anything-v2-vits",
    "depth-anything-v1-vits",
    "depth-anything-v2-vitl",
    "dpt_large_384",
)
WEIGHTS = bytes(range(256)) * 40
V1, V2 = "LiheYoung/depth-anything-small-hf", "depth-anything--Depth-Anything-V2-Small"


@pytest.fixture(autouse=True)
def _everything_is_published(publisher: Publisher) -> None:
    for size in ("Small", "Large"):
        name = f"depth_anything_v2_vit{size[0].lower()}.pth"
        publisher.models[f"depth-anything/Depth-Anything-V2-{size}"] = {"README.md": b"#", name: WEIGHTS}
    publisher.models[V1] = {
        "config.json": b"{}",
        "preprocessor_config.json": b"[]",
        "model.safetensors": WEIGHTS,
        "pytorch_model.bin": WEIGHTS[::-1],
    }
    publisher.releases["isl-org/MiDaS/v3/dpt_large_384.pt"] = WEIGHTS


def test_a_file_of_the_hub_lies_in_the_hubs_cache(publisher: Publisher, tmp_path: Path) -> None:
    path = depthrt.fetch(FILE)
    assert (
        path
        == tmp_path
        / f"hub/models--depth-anything--Depth-Anything-V2-Small/snapshots/{COMMIT}/depth_anything_v2_vits.pth"
    )
    assert path.read_bytes() == WEIGHTS


def test_a_folder_of_the_hub_has_what_export_reads_and_no_more(tmp_path: Path) -> None:
    path = depthrt.fetch(FOLDER)
    assert path == tmp_path / f"hub/models--LiheYoung--depth-anything-small-hf/snapshots/{COMMIT}"
    assert sorted(file.name for file in path.iterdir()) == [
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
    ]


def test_a_fetched_folder_is_read_as_the_checkpoint_that_it_is(publisher: Publisher, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "official", tiny_config())
    save_file(to_transformers(state_of(TINY)), folder / "model.safetensors", metadata={"format": "pt"})
    publisher.models[V1] = {"preprocessor_config.json": b"{}"} | {
        file.name: file.read_bytes() for file in folder.iterdir()
    }
    assert describe_checkpoint(depthrt.fetch(FOLDER)).architecture == TINY


def test_a_file_of_a_release_lies_in_the_cache_of_depthrt(tmp_path: Path) -> None:
    path = depthrt.fetch(RELEASE)
    assert path == tmp_path / "cache/models/dpt_large_384.pt" and path.read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("name", "place"),
    [(FILE, "depth_anything_v2_vits.pth"), (FOLDER, "depth-anything-small-hf"), (RELEASE, "dpt_large_384.pt")],
)
def test_a_folder_gets_the_files_and_nothing_else(name: str, place: str, tmp_path: Path) -> None:
    path = depthrt.fetch(name, tmp_path / "new" / "here")
    assert path == tmp_path / "new" / "here" / place and path.exists()
    assert [found.name for found in path.parent.iterdir()] == [place]
    assert not (tmp_path / "hub").exists()


@pytest.mark.parametrize("name", [FILE, FOLDER, RELEASE])
def test_what_is_here_is_not_asked_for_again(name: str, publisher: Publisher, tmp_path: Path) -> None:
    path = depthrt.fetch(name)
    publisher.asked.clear()
    assert depthrt.fetch(name) == path
    copied = depthrt.fetch(name, tmp_path / "copy")
    assert copied.parent == tmp_path / "copy" and copied.is_dir() == path.is_dir()
    assert depthrt.fetch(name) == copied, "where it was put last"
    assert publisher.asked == []


@pytest.mark.parametrize("name", [FILE, FOLDER, RELEASE])
def test_what_was_changed_or_removed_is_fetched_again(name: str, publisher: Publisher, tmp_path: Path) -> None:
    path = depthrt.fetch(name, tmp_path / "here")
    weights = path / "model.safetensors" if path.is_dir() else path
    weights.write_bytes(WEIGHTS[:-1] + b"!")
    assert depthrt.fetch(name, tmp_path / "here") == path and weights.read_bytes() == WEIGHTS
    weights.unlink()
    assert depthrt.fetch(name, tmp_path / "here") == path and weights.read_bytes() == WEIGHTS


def test_another_file_than_at_the_first_download_is_refused(publisher: Publisher) -> None:
    path = depthrt.fetch(RELEASE)
    path.unlink()
    publisher.releases["isl-org/MiDaS/v3/dpt_large_384.pt"] = WEIGHTS[::-1]
    with pytest.raises(FetchError, match=r"hash of the first download, .*; if the publisher has replaced") as refused:
        depthrt.fetch(RELEASE)
    record = record_path(find_published(RELEASE))
    assert record is not None and str(record) in str(refused.value) and not path.exists()
    record.unlink()
    assert depthrt.fetch(RELEASE).read_bytes() == WEIGHTS[::-1]


def test_bytes_that_are_not_the_hubs_are_refused(publisher: Publisher, tmp_path: Path) -> None:
    publisher.changed = WEIGHTS[::-1]
    with pytest.raises(FetchError, match="came with the hash"):
        depthrt.fetch(FILE)
    assert not any(path.is_file() for path in (tmp_path / "hub").rglob("*"))


def test_a_restricted_licence_is_accepted_once_and_before_any_request(publisher: Publisher) -> None:
    with pytest.raises(InputError, match=r"CC-BY-NC-4\.0 .no commercial use., https://.*--accept-licence once"):
        depthrt.fetch(RESTRICTED)
    assert publisher.asked == []
    path = depthrt.fetch(RESTRICTED, accept_licence=True)
    path.unlink()
    assert depthrt.fetch(RESTRICTED) == path


@pytest.mark.parametrize("folder", [None, "here/below"])
def test_a_folder_that_the_disk_cannot_hold_is_refused_before_its_first_file(
    folder: str | None, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=len(WEIGHTS)))
    with pytest.raises(InputError, match="are to come; free the disk, or choose another folder"):
        depthrt.fetch(FOLDER, None if folder is None else tmp_path / folder)
    assert publisher.ranges_asked() == []


def test_a_token_is_asked_for_where_the_publisher_wants_one(publisher: Publisher) -> None:
    publisher.gated = True
    with pytest.raises(FetchError, match=r"401 .*accept its conditions if it has any, and give a token"):
        depthrt.fetch(FILE)


@pytest.mark.parametrize("name", [FILE, FOLDER, RELEASE])
def test_without_a_connection_what_is_here_is_taken_and_the_rest_is_one_line(
    name: str, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(FetchError, match=f"{name} is not on this machine, and HF_HUB_OFFLINE is set"):
        depthrt.fetch(name)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    path = depthrt.fetch(name)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    publisher.asked.clear()
    assert depthrt.fetch(name) == path
    record = record_path(find_published(name))
    assert record is not None
    record.unlink()  # as if another program had filled the hub's cache
    if name != RELEASE:
        assert depthrt.fetch(name, tmp_path / "copy").parent == tmp_path / "copy"
    assert publisher.asked == []


def test_a_cut_connection_is_taken_up(publisher: Publisher) -> None:
    publisher.cut_after, publisher.cuts = 5000, 1
    assert depthrt.fetch(FILE).read_bytes() == WEIGHTS
    assert publisher.ranges_asked() == ["", "bytes=5000-"]


def test_progress_names_the_file(publisher: Publisher) -> None:
    seen: list[tuple[str, int, int]] = []
    from depthrt.export.download.fetch import fetch

    fetch(FILE, on_bytes=lambda *told: seen.append(told))
    assert seen[-1] == ("depth_anything_v2_vits.pth", len(WEIGHTS), len(WEIGHTS))


def test_a_second_process_waits(publisher: Publisher) -> None:
    from depthrt.export.download.fetch import fetch

    folder = cache_dir("fetched")
    assert folder is not None
    notes, waiting = [], threading.Event()

    def on_note(sentence: str) -> None:
        notes.append(sentence)
        waiting.set()

    with file_lock(folder / f"{digest(FILE)}.lock"):
        thread = threading.Thread(target=fetch, args=(FILE,), kwargs={"on_note": on_note})
        thread.start()
        assert waiting.wait(10) and publisher.asked == []
    thread.join()
    assert notes == [f"Another process fetches {FILE}; waiting for it."] and publisher.asked != []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("depth-anything-v2", r"'depth-anything-v2' is no model of the catalog; did you mean depth-anything-v\d-vit"),
        ("resnet50", r"'resnet50' is no model of the catalog; `depthrt models` lists them"),
        ("depth_anything_v2_vitg.pth", "depth-anything-v2-vitg was announced by its publisher and is not published"),
    ],
)
def test_an_unknown_name_is_one_line(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        depthrt.fetch(name)


def test_a_path_that_exists_is_that_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(RELEASE).write_bytes(b"mine")
    assert locate(RELEASE, fetching=True) == Path(RELEASE)


@pytest.mark.parametrize("name", ["model.pth", "folder/dpt_large_384.pt", "dpt_large_384/"])
def test_what_names_no_model_stays_a_path(name: str) -> None:
    assert locate(name) == Path(name)


@pytest.mark.parametrize("name", [RELEASE, "dpt_large_384.pt", "DPT_LARGE_384"])
def test_a_name_is_what_was_fetched_and_nothing_is_downloaded_unasked(name: str, publisher: Publisher) -> None:
    with pytest.raises(InputError, match="the published dpt_large_384 was not fetched; give --fetch, or fetch it with"):
        locate(name)
    assert publisher.asked == []
    notes: list[str] = []
    path = locate(name, fetching=True, on_note=notes.append)
    assert path.read_bytes() == WEIGHTS and notes == [f"{name} is {path}."]
    publisher.asked.clear()
    assert locate(name) == path and publisher.asked == []


def test_a_repository_is_a_name_too(publisher: Publisher) -> None:
    assert locate(V1, fetching=True).name == COMMIT


@pytest.mark.parametrize("entry", [entry for entry in CATALOG if entry.source], ids=lambda entry: entry.name)
def test_the_licence_is_known_from_where_a_model_was_put(entry: CatalogEntry) -> None:
    """A contract has the licence of the published model that a path is named after."""
    source = entry.source
    assert source is not None
    first = source.files[0] if isinstance(source, HubSource) else source.file
    cached = f"hub/models--{source.repository.replace('/', '--')}/snapshots/{COMMIT}"
    is_folder = isinstance(source, HubSource) and source.folder
    places = [source.repository.rpartition("/")[2], cached] if is_folder else [first, f"{cached}/{first}"]
    for place in places:
        claim, found = find_by_path(Path(place), SimpleNamespace(encoder=entry.encoder))
        assert found is entry and claim is not None and claim.licence == entry.licence

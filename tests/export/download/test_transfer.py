"""A download is whole and checked, or it is one line; what was received is not asked for again."""

from __future__ import annotations

import errno
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from published_files import Publisher, git_sha1, sha256
from small_disk import files_of_at_most

from depthrt import FetchError, InputError
from depthrt.export.download import transfer
from depthrt.export.download.remote import RemoteFile
from depthrt.export.download.transfer import PART, TRIES, download, is_file, missing_bytes

CONTENT = bytes(range(256)) * 4096  # 1 MiB: four reads
HALF = len(CONTENT) // 2


@pytest.fixture
def file(publisher: Publisher) -> RemoteFile:
    """A file of a release whose hash nobody knows."""
    publisher.releases["a/b/v1/model.pt"] = CONTENT
    return RemoteFile("model.pt", f"{publisher.address}/a/b/releases/download/v1/model.pt", "https://example.org/a")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "model.pt"


def left(path: Path) -> list[str]:
    return sorted(found.name for found in path.parent.iterdir())


def test_a_file_comes_whole_with_its_hash_and_its_progress(file: RemoteFile, path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    assert download(file, path, on_bytes=lambda held, total: seen.append((held, total))) == sha256(CONTENT)
    assert path.read_bytes() == CONTENT and left(path) == ["model.pt"]
    assert seen[0] == (0, len(CONTENT)) and seen[-1] == (len(CONTENT), len(CONTENT)) and seen == sorted(seen)


@pytest.mark.parametrize("cuts", [1, TRIES])
def test_a_cut_connection_is_taken_up_where_it_was_cut(
    cuts: int, file: RemoteFile, path: Path, publisher: Publisher
) -> None:
    publisher.cut_after, publisher.cuts = 100_000, cuts
    download(file, path)
    assert path.read_bytes() == CONTENT
    assert publisher.ranges_asked() == ["", *(f"bytes={100_000 * number}-" for number in range(1, cuts + 1))]


def test_without_ranges_the_file_begins_again(file: RemoteFile, path: Path, publisher: Publisher) -> None:
    publisher.cut_after, publisher.cuts, publisher.ranges = 100_000, 1, False
    download(file, path)
    assert path.read_bytes() == CONTENT and left(path) == ["model.pt"]


def test_a_connection_that_brings_nothing_is_given_up_and_the_next_call_goes_on(
    file: RemoteFile, path: Path, publisher: Publisher
) -> None:
    publisher.cut_after, publisher.cuts = HALF, 1
    publisher.status = []
    with pytest.raises(FetchError, match=r"cannot be downloaded: the server answers 503 .*; the next call goes on"):
        download(
            replace(file),
            path,
            on_bytes=lambda held, total: publisher.status.extend([503] * TRIES if held == HALF else []),
        )
    assert left(path) == [f"model.pt{PART}", f"model.pt{PART}.json"]
    publisher.status, publisher.asked = [], []
    download(file, path)
    assert path.read_bytes() == CONTENT and left(path) == ["model.pt"]
    assert publisher.ranges_asked() == [f"bytes={HALF}-"]


def test_ctrl_c_leaves_a_part_that_the_next_call_goes_on_with(
    file: RemoteFile, path: Path, publisher: Publisher
) -> None:
    def interrupt(held: int, total: int | None) -> None:
        if held >= HALF:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(file, path, on_bytes=interrupt)
    assert not path.exists()
    publisher.asked.clear()
    download(file, path)
    assert path.read_bytes() == CONTENT and left(path) == ["model.pt"]
    assert publisher.ranges_asked() == [f"bytes={HALF}-"]


def test_a_part_of_a_file_that_was_replaced_since_is_not_used(
    file: RemoteFile, path: Path, publisher: Publisher
) -> None:
    publisher.cut_after, publisher.cuts = HALF, 1000
    publisher.status = []
    with pytest.raises(KeyboardInterrupt):
        download(file, path, on_bytes=_interrupt_at(HALF))
    publisher.cuts, publisher.releases["a/b/v1/model.pt"] = 0, CONTENT[::-1] + b"more"
    download(file, path)
    assert path.read_bytes() == CONTENT[::-1] + b"more"


@pytest.mark.parametrize("damage", ["missing", "not JSON", "of another file"])
def test_a_part_of_unknown_origin_is_not_used(damage: str, file: RemoteFile, path: Path, publisher: Publisher) -> None:
    with pytest.raises(KeyboardInterrupt):
        download(file, path, on_bytes=_interrupt_at(HALF))
    origin = path.with_name(f"model.pt{PART}.json")
    path.with_name(f"model.pt{PART}").write_bytes(bytes(HALF))
    texts = {"not JSON": "{", "of another file": origin.read_text().replace("model.pt", "other.pt")}
    origin.unlink()
    if damage in texts:
        origin.write_text(texts[damage])
    download(file, path)
    assert path.read_bytes() == CONTENT


def _interrupt_at(held: int) -> transfer.OnBytes:
    def interrupt(now: int, total: int | None) -> None:
        if now >= held:
            raise KeyboardInterrupt

    return interrupt


@pytest.mark.parametrize("known", ["sha256", "first digits", "git"])
def test_wrong_bytes_are_refused_and_removed(known: str, file: RemoteFile, path: Path, publisher: Publisher) -> None:
    hashes = {
        "sha256": {"sha256": sha256(CONTENT)},
        "first digits": {"sha256": sha256(CONTENT)[:8]},
        "git": {"git_sha1": git_sha1(CONTENT)},
    }
    right = replace(file, **hashes[known])  # type: ignore[arg-type]
    publisher.changed = CONTENT[:-1] + b"!"
    with pytest.raises(FetchError, match=r"came with the hash [0-9a-f]+, expected [0-9a-f]+; it was removed"):
        download(right, path)
    assert not path.exists() and not path.with_name(f"model.pt{PART}").exists()
    publisher.changed = None
    download(right, path)
    assert path.read_bytes() == CONTENT and is_file(right, path)


def test_an_older_file_stays_until_the_new_one_is_whole(file: RemoteFile, path: Path, publisher: Publisher) -> None:
    path.parent.mkdir()
    path.write_bytes(b"old")
    publisher.changed = b"wrong"
    with pytest.raises(FetchError):
        download(replace(file, sha256=sha256(CONTENT)), path)
    assert path.read_bytes() == b"old"


def test_a_file_of_another_size_than_stated_is_refused(file: RemoteFile, path: Path) -> None:
    with pytest.raises(FetchError, match=f"has {len(CONTENT)} bytes, expected 10 as https://example.org/a states"):
        download(replace(file, size_bytes=10), path)


def test_a_full_disk_is_one_line_and_the_next_call_goes_on(file: RemoteFile, path: Path, publisher: Publisher) -> None:
    with (
        files_of_at_most(HALF),
        pytest.raises(InputError, match=r"model\.pt cannot be written: .*; free the disk: "),
    ):
        download(file, path)
    assert path.with_name(f"model.pt{PART}").stat().st_size == HALF
    publisher.asked.clear()
    download(file, path)
    assert path.read_bytes() == CONTENT
    assert publisher.ranges_asked() == [f"bytes={HALF}-"]


def test_a_disk_without_room_is_noticed_before_the_download(
    file: RemoteFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=0))
    with pytest.raises(InputError, match="has room for 0 MB, 1 MB are to come; free the disk"):
        download(file, path)


def test_what_is_held_is_not_to_come_again(file: RemoteFile, path: Path) -> None:
    sized = replace(file, size_bytes=len(CONTENT))
    assert (missing_bytes(file, path), missing_bytes(sized, path)) == (0, len(CONTENT))
    with pytest.raises(KeyboardInterrupt):
        download(file, path, on_bytes=_interrupt_at(HALF))
    assert missing_bytes(sized, path) == len(CONTENT) - HALF
    download(file, path)
    assert missing_bytes(sized, path) == 0


def test_an_error_of_the_disk_is_one_line(file: RemoteFile, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(part: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(transfer, "sync_file", refuse)
    with pytest.raises(InputError, match=r"model.pt cannot be written: Input/output error; check the disk"):
        download(file, path)


def test_what_is_there_is_known_by_its_hash_only(file: RemoteFile, path: Path) -> None:
    assert not is_file(replace(file, sha256=sha256(CONTENT)), path)
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    assert is_file(replace(file, sha256=sha256(CONTENT)), path)
    assert is_file(replace(file, git_sha1=git_sha1(CONTENT)), path)
    assert not is_file(replace(file, sha256=sha256(CONTENT), size_bytes=1), path)
    assert not is_file(file, path), "no hash is known"

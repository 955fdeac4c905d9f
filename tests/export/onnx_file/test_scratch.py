"""A folder for files that nobody keeps."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from depthrt.engine.errors import InputError
from depthrt.export.onnx_file.scratch import scratch_folder

resource = pytest.importorskip("resource", reason="this system has no limits to set on a process")


def test_the_folder_goes_with_what_is_in_it() -> None:
    with scratch_folder() as folder:
        (folder / "a.bin").write_bytes(b"a")
    assert not folder.exists()


def test_a_disk_that_takes_no_more_is_told_in_one_line() -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.raises(InputError, match=rf"^temporary files cannot be written to {tempfile.gettempdir()}: .*TMPDIR"):
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
            with scratch_folder() as folder:
                (folder / "a.bin").write_bytes(bytes(2000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not folder.exists()


def test_an_error_about_another_file_is_not_blamed_on_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with pytest.raises(FileNotFoundError, match="other"), scratch_folder():
        (tmp_path / "other").read_bytes()

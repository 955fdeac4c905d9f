"""The files of a sample: their places, their order, and what the sidecar records."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from drawn_room import write_hypersim_rooms

from depthrt.finetune.augment import sample_files
from depthrt.finetune.augment.sample_files import entry_of, paths_of, sidecar, write_sample
from depthrt.finetune.augment.source import Frame, load, open_frames


@pytest.fixture
def frame(tmp_path: Path) -> Frame:
    return open_frames(write_hypersim_rooms(tmp_path / "rooms", 1))[0][0]


def test_files_are_named_after_their_source_below_their_copy(frame: Frame, tmp_path: Path) -> None:
    entry = entry_of(tmp_path, frame, 2)
    assert entry.image == f"image/2/{frame.image}" and entry.depth == f"depth/2/{frame.depth}"
    assert entry.mask == f"regions/2/{frame.name}.png"
    assert (entry.scene, entry.layout, entry.units_per_m) == ("ai_001_001", "hypersim", None)


def test_the_sidecar_is_written_last_and_describes_the_frame(
    frame: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, paths = load(frame), paths_of(tmp_path, frame, 0)
    about = sidecar(frame, 0, 9, "art", loaded, None, ())
    before = loaded.canvas.inverse.copy()

    def full(path: Path, mask: object) -> None:
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(sample_files, "write_regions", full)
        with pytest.raises(OSError, match="no space"):
            write_sample(paths, loaded, about, frame=frame, before=None)
    assert paths.image.is_file() and not paths.sidecar.exists()
    write_sample(paths, loaded, about, frame=frame, before=before)
    assert all(path.is_file() for path in paths)
    written = json.loads(paths.sidecar.read_text())
    assert (written["seed"], written["copy"], written["kind"], written["edits"]) == (9, 0, "art", [])
    assert tmp_path / written["mask"] == paths.regions and written["region_bits"]["art"] == 2
    assert written["source"]["scene"] == "ai_001_001" and written["depth_px"] == [96, 128]
    assert written["camera_px"] == pytest.approx([110.85125, 110.85125, 63.5, 47.5])


def test_erased_pixels_are_unknown_in_the_file(frame: Frame, tmp_path: Path) -> None:
    loaded, paths = load(frame), paths_of(tmp_path, frame, 0)
    loaded.canvas.erased[50:60] = True
    write_sample(paths, loaded, sidecar(frame, 0, 9, "art", loaded, None, ()), frame=frame, before=None)
    again = frame.pair.read().truth.valid
    (written,), _ = open_frames(_listed(tmp_path, frame))
    valid = written.pair.read().truth.valid
    assert not valid[50:60].any() and (valid[60:] == again[60:]).all()
    assert isinstance(valid, np.ndarray)


def _listed(folder: Path, frame: Frame) -> Path:
    from depthrt.bench.datasets.manifest import write_manifest

    write_manifest(folder / "manifest.jsonl", [entry_of(folder, frame, 0)])
    return folder / "manifest.jsonl"

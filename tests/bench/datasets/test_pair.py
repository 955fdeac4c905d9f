"""A pair reads its picture, depth and regions from disk, in another process too."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from depth_datasets import SIZE_PX, depth_map, photo, put

from depthrt.bench.datasets.ground_truth import open_ground_truth
from depthrt.bench.datasets.manifest import Entry, write_manifest
from depthrt.bench.datasets.pair import Pair, depth_readers, make_pairs
from depthrt.bench.datasets.pairs.find import find_files
from depthrt.bench.datasets.regions import write_regions
from depthrt.engine.errors import InputError


def rooms(folder: Path) -> Path:
    """Write two pairs, the first with regions, and their manifest."""
    for name in ("a 1", "b"):
        put(folder / "image" / f"{name}.png", photo())
        put(folder / "depth" / f"{name}.npy", depth_map())
    (folder / "regions").mkdir()
    mask = np.zeros(SIZE_PX, np.uint8)
    mask[2:9] = 5
    write_regions(folder / "regions" / "a 1.png", mask)
    entries = [
        Entry("image/a 1.png", "depth/a 1.npy", "hall", "regions/a 1.png", "val"),
        Entry("image/b.png", "depth/b.npy", "bath"),
    ]
    write_manifest(folder / "manifest.jsonl", entries)
    return folder


def test_a_manifest_s_pair_has_its_scene_split_files_and_regions(tmp_path: Path) -> None:
    found = open_ground_truth(rooms(tmp_path))
    first, second = found.pairs
    assert (first.name, first.scene, first.split) == ("image/a 1", "hall", "val")
    assert (second.scene, second.split, second.mask) == ("bath", None, None)
    assert first.image == tmp_path / "image/a 1.png" and first.depth == tmp_path / "depth/a 1.npy"
    assert first.mask == tmp_path / "regions/a 1.png"
    sample = first.read()
    assert sample.regions is not None and sample.regions.shape == sample.truth.shape == SIZE_PX
    assert sample.regions[2:9].min() == 5 and np.count_nonzero(sample.regions) == 7 * SIZE_PX[1]
    assert second.read().regions is None


def test_a_folder_of_masks_of_regions_is_not_taken_for_masks_of_what_counts(tmp_path: Path) -> None:
    rooms(tmp_path).joinpath("manifest.jsonl").unlink()
    found = open_ground_truth(tmp_path)
    assert [pair.mask for pair in found.pairs] == [None, None]
    assert all(sample.truth.valid.all() and sample.regions is None for sample in found)


def test_a_pair_is_read_in_another_process_alike(tmp_path: Path) -> None:
    for pair in open_ground_truth(rooms(tmp_path)).pairs:
        sample, again = pair.read(), pickle.loads(pickle.dumps(pair)).read()
        assert np.array_equal(again.image, sample.image) and np.array_equal(again.truth.values, sample.truth.values)


def test_a_pair_without_a_scene_is_its_own() -> None:
    assert Pair("a/1", lambda: pytest.fail("read")).scene == "a/1"


def test_a_mask_that_is_missing_is_an_error_of_its_pair_only(tmp_path: Path) -> None:
    (rooms(tmp_path) / "regions" / "a 1.png").unlink()
    first, second = open_ground_truth(tmp_path).pairs
    with pytest.raises(InputError, match="does not exist, expected a region mask"):
        first.read()
    assert second.read().name == "image/b"


def test_pairs_are_made_without_reading_anything(tmp_path: Path) -> None:
    found = find_files(rooms(tmp_path))
    assert found is not None
    for one in found.pairs:
        one.depth.write_bytes(b"")
    readers, notes = depth_readers(found.pairs, found)
    assert [pair.name for pair in make_pairs(found.pairs, found, readers)] == ["image/a 1", "image/b"]
    assert notes == ()


def test_an_entry_s_unit_goes_before_the_caller_s(tmp_path: Path) -> None:
    put(tmp_path / "a.png", photo())
    put(tmp_path / "a_depth.png", np.full(SIZE_PX, 512, np.uint16))
    write_manifest(tmp_path / "m.jsonl", [Entry("a.png", "a_depth.png", "a", units_per_m=256.0)])
    found = open_ground_truth(tmp_path / "m.jsonl", units_per_m=1000)
    assert next(iter(found)).truth.values == pytest.approx(2.0)
    assert found.notes == ()

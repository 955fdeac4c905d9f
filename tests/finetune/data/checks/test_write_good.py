"""The good pairs of any data set become a manifest that opens alike, wherever it is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from depth_datasets import SIZE_PX, depth_map, holed, photo, put

from depthrt.bench.datasets.ground_truth import STEREO_MOTORCYCLE, open_ground_truth
from depthrt.bench.datasets.manifest import read_manifest
from depthrt.bench.datasets.regions import region
from depthrt.engine.errors import InputError
from depthrt.finetune.data.checks.dataset import check_dataset
from depthrt.finetune.data.checks.write_good import write_good
from depthrt.finetune.data.write_dataset import write_hypersim

DRIVE = "2011_09_26_drive_0002_sync"


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    for seed, name in enumerate(("hall/a 1", "bath/b")):
        put(tmp_path / "set" / "rgb" / f"{name}.png", photo(seed))
        put(tmp_path / "set" / "depth" / f"{name}.npy", depth_map(seed))
    return tmp_path / "set"


def same(first: Path, second: Path) -> None:
    """Hold that two sources open as the same pairs."""
    one, other = open_ground_truth(first), open_ground_truth(second)
    assert [pair.scene for pair in one.pairs] == [pair.scene for pair in other.pairs]
    for left, right in zip(one, other, strict=True):
        assert np.array_equal(left.image, right.image) and np.array_equal(left.truth.values, right.truth.values)
        assert np.array_equal(left.truth.valid, right.truth.valid)


@pytest.mark.parametrize("place", ["set/manifest.jsonl", "beside.jsonl", "far/away/m.jsonl"])
def test_a_folder_and_its_manifest_open_alike(rooms: Path, place: str) -> None:
    path = rooms.parent / place
    path.parent.mkdir(parents=True, exist_ok=True)
    checked = check_dataset(str(rooms))
    assert write_good([checked], path) == 2
    assert all(not Path(entry.image).is_absolute() for entry in read_manifest(path))
    if path.parent != rooms:
        same(rooms, path)
    assert [sample.name.rpartition("/")[2] for sample in open_ground_truth(path)] == ["b", "a 1"]


def test_a_data_set_behind_a_link_is_found_from_a_manifest_behind_another(rooms: Path, tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "er")
    (tmp_path / "linked").symlink_to(rooms)
    write_good([check_dataset(str(tmp_path / "linked"))], tmp_path / "link" / "m.jsonl")
    same(rooms, tmp_path / "link" / "m.jsonl")


def test_layouts_stay_known_from_inside_their_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = tmp_path / "2011_09_26" / DRIVE / "image_02" / "data" / "0000000005.png"
    truth = tmp_path / DRIVE / "proj_depth" / "groundtruth" / "image_02"
    put(image, photo())
    put(truth / "0000000005.png", np.full(SIZE_PX, 20 * 256, np.uint16))
    monkeypatch.chdir(truth)
    write_good([check_dataset(str(tmp_path))], Path("m.jsonl"))
    (sample,) = open_ground_truth("m.jsonl")
    assert sample.truth.values == pytest.approx(20.0)
    (entry,) = read_manifest(Path("m.jsonl"))
    assert (entry.layout, entry.scene, entry.units_per_m) == ("kitti", DRIVE, None)


def test_hypersim_and_its_regions_open_alike(tmp_path: Path) -> None:
    written = write_hypersim(tmp_path / "h", 2, height_px=12, width_px=16)
    write_good([check_dataset(str(written.directory))], tmp_path / "m.jsonl")
    same(written.directory, tmp_path / "m.jsonl")
    for left, right in zip(open_ground_truth(written.directory), open_ground_truth(tmp_path / "m.jsonl"), strict=True):
        assert left.regions is not None and right.regions is not None and np.array_equal(left.regions, right.regions)


def test_what_a_manifest_cannot_name_is_refused(rooms: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is one file, and a manifest names a file for each image; use it as it is"):
        write_good([check_dataset(STEREO_MOTORCYCLE)], tmp_path / "m.jsonl")
    with pytest.raises(InputError, match=r"expected a name that ends in \.jsonl"):
        write_good([check_dataset(str(rooms))], tmp_path / "m.json")
    put(rooms / "depth" / "hall" / "a 1_mask.npy", holed())
    with pytest.raises(InputError, match=r"a 1_mask\.npy says which pixels of .* count, which a manifest cannot"):
        write_good([check_dataset(str(rooms))], tmp_path / "m.jsonl")
    assert not list(tmp_path.glob("*.jsonl"))


@pytest.mark.parametrize("layout", ["list", "folder"])
def test_masks_of_two_values_become_region_masks(rooms: Path, layout: str) -> None:
    source = rooms
    for name in ("hall/a 1", "bath/b"):
        put(rooms / "mask" / f"{name}.npy", holed())
    if layout == "list":
        source = rooms / "l.txt"
        lines = ("rgb/hall/a 1.png\tdepth/hall/a 1.npy\tmask/hall/a 1.npy\n", "rgb/bath/b.png depth/bath/b.npy\n")
        source.write_text("".join(lines))
    checked = check_dataset(str(source), shown="mirror")
    assert checked.flaws == () and write_good([checked], rooms / "m.jsonl") == 2
    samples = {sample.name: sample for sample in open_ground_truth(rooms / "m.jsonl")}
    hall, bath = samples["rgb/hall/a 1"], samples["rgb/bath/b"]
    assert hall.regions is not None and np.array_equal(region(hall.regions, "mirror"), holed())
    assert int(hall.regions.max()) == 1 and hall.truth.valid.all()
    assert bath.regions is not None and np.array_equal(bath.regions, hall.regions)  # found beside its depth


def test_masks_that_show_a_region_are_checked(rooms: Path) -> None:
    put(rooms / "mask" / "bath" / "b.npy", holed()[:5])
    put(rooms / "mask" / "hall" / "a 1.npy", depth_map())
    flaws = check_dataset(str(rooms), shown="mirror").flaws
    assert [flaw.kind for flaw in flaws] == ["mismatched", "unreadable"]
    assert "expected one shape" in flaws[0].reason and "expected 0 and one other value" in flaws[1].reason


def test_no_good_pair_is_no_manifest(rooms: Path, tmp_path: Path) -> None:
    for path in rooms.rglob("*.npy"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match="is not written, because no pair is good"):
        write_good([check_dataset(str(rooms))], tmp_path / "m.jsonl")

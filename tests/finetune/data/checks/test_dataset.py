"""Every pair that is missing, unreadable or mismatched is listed, and no image gets the depth of another."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from depth_datasets import SIZE_PX, depth_map, photo, put

from depthrt.bench.datasets.ground_truth import STEREO_MOTORCYCLE, open_ground_truth
from depthrt.bench.datasets.manifest import Entry, Split, write_manifest
from depthrt.bench.datasets.regions import write_regions
from depthrt.engine.errors import InputError
from depthrt.finetune.data.checks.dataset import check_dataset
from depthrt.finetune.data.write_dataset import write_vkitti2

NAMES = [f"{room}/{frame}" for room in ("bath", "my hall") for frame in range(3)]


def image_and_depth(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / "rgb" / f"{name}.png", folder / "depth" / f"{name}.npy"


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """Six pairs in two rooms, each its own picture and depth."""
    for seed, name in enumerate(NAMES):
        image, depth = image_and_depth(tmp_path, name)
        put(image, photo(seed))
        put(depth, depth_map(seed))
    return tmp_path


def manifest(folder: Path, **more: object) -> Path:
    entries = [Entry(f"rgb/{name}.png", f"depth/{name}.npy", name.partition("/")[0], **more) for name in NAMES]  # type: ignore[arg-type]
    write_manifest(folder / "m.jsonl", entries)
    return folder / "m.jsonl"


def listed(folder: Path) -> Path:
    (folder / "l.txt").write_text("".join(f"rgb/{name}.png\tdepth/{name}.npy\n" for name in NAMES))
    return folder / "l.txt"


@pytest.mark.parametrize("source", [manifest, listed, lambda folder: folder], ids=["manifest", "list", "folder"])
def test_an_image_and_another_s_depth_that_are_removed_are_both_reported_and_nothing_is_mis_paired(
    rooms: Path, source: Callable[[Path], Path]
) -> None:
    path = source(rooms)
    assert check_dataset(str(path)).flaws == ()
    image, depth = image_and_depth(rooms, "bath/1")[0], image_and_depth(rooms, "my hall/0")[1]
    image.unlink()
    depth.unlink()
    found = check_dataset(str(path))
    assert (found.good, found.count, len(found.flaws)) == (4, 6, 2)
    assert {flaw.kind for flaw in found.flaws} == {"missing"}
    reasons = " | ".join(flaw.reason for flaw in found.flaws)
    assert "bath/1" in reasons and "my hall/0" in reasons
    kept = {NAMES.index(one.image.relative_to(rooms / "rgb").with_suffix("").as_posix()): one for one in found.files}
    assert sorted(kept) == [0, 2, 4, 5]
    for pair in open_ground_truth(path).pairs:  # what a training would read
        seed = NAMES.index(pair.name.removeprefix("rgb/"))
        sample = pair.read()
        assert np.array_equal(sample.image, photo(seed)) and np.array_equal(sample.truth.values, depth_map(seed))


def test_every_flaw_is_listed_with_its_file(rooms: Path) -> None:
    write_regions(rooms / "mask.png", np.zeros((3, 3), np.uint8))
    path = manifest(rooms)
    paths = {name: image_and_depth(rooms, name) for name in NAMES}
    paths["bath/0"][0].write_bytes(b"nothing")
    paths["bath/1"][1].write_bytes(b"nothing")
    put(paths["bath/2"][1], depth_map()[:10])
    paths["my hall/1"][0].unlink()
    text = path.read_text()
    path.write_text(
        text.replace('0.npy", "scene": "my hall", "mask": null', '0.npy", "scene": "my hall", "mask": "mask.png"')
    )
    found = check_dataset(str(path))
    assert [(flaw.kind, flaw.name) for flaw in found.flaws] == [
        ("unreadable", "rgb/bath/0"),
        ("unreadable", "rgb/bath/1"),
        ("mismatched", "rgb/bath/2"),
        ("mismatched", "rgb/my hall/0"),
        ("missing", "rgb/my hall/1"),
    ]
    named = ("bath/0.png", "bath/1.npy", "bath/2.png", "mask.png", "my hall/1.png")
    for flaw, name in zip(found.flaws, named, strict=True):
        assert name in flaw.reason and "\n" not in flaw.reason
    assert (found.good, found.scenes) == (1, ("my hall",))


def test_an_image_that_is_named_with_two_depths_is_not_good_and_a_pair_that_is_named_twice_is(rooms: Path) -> None:
    entries = [
        Entry("rgb/bath/0.png", "depth/bath/0.npy", "bath"),
        Entry("rgb/bath/0.png", "depth/bath/0.npy", "bath"),
        Entry("rgb/bath/1.png", "depth/bath/1.npy", "bath"),
        Entry("rgb/bath/1.png", "depth/my hall/1.npy", "bath"),
    ]
    write_manifest(rooms / "m.jsonl", entries)
    found = check_dataset(str(rooms / "m.jsonl"))
    assert [one.image.name for one in found.files] == ["0.png"]
    assert sorted(flaw.reason.partition(" is ")[2] for flaw in found.flaws) == [
        "named 2 times",
        "named 2 times, with different depth, scene or split",
        "named 2 times, with different depth, scene or split",
    ]


def test_a_list_that_slipped_by_a_line_is_reported(rooms: Path) -> None:
    lines = [f"rgb/bath/{frame}.png depth/bath/{frame + 1}.npy\n" for frame in range(2)]
    (rooms / "l.txt").write_text("".join(lines))
    found = check_dataset(str(rooms / "l.txt"))
    assert [flaw.kind for flaw in found.flaws] == ["mismatched", "mismatched"]


def test_a_scene_on_two_sides_is_reported(rooms: Path) -> None:
    splits: list[Split | None] = ["train", "val", None]
    entries = [
        Entry(f"rgb/bath/{frame}.png", f"depth/bath/{frame}.npy", "bath", split=split)
        for frame, split in enumerate(splits)
    ]
    write_manifest(rooms / "m.jsonl", entries)
    (flaw,) = check_dataset(str(rooms / "m.jsonl")).flaws
    assert (flaw.kind, flaw.reason) == ("split", "scene bath is in train and val, expected one split")


def test_a_written_data_set_is_good_and_its_progress_is_shown(tmp_path: Path) -> None:
    written = write_vkitti2(tmp_path / "v", 3, height_px=12, width_px=40)
    seen: list[tuple[int, int]] = []
    found = check_dataset(str(written.directory), on_progress=lambda done, wanted: seen.append((done, wanted)))
    assert (found.flaws, found.good, len(found.scenes)) == ((), 3, 3)
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    (written.directory / "manifest.jsonl").unlink()
    shutil.move(next(written.directory.rglob("depth_00001.png")), tmp_path)
    (flaw,) = check_dataset(str(written.directory)).flaws
    assert flaw.kind == "missing" and "rgb_00001.jpg has no depth file" in flaw.reason


def test_a_data_set_of_one_file_is_read_too() -> None:
    found = check_dataset(STEREO_MOTORCYCLE)
    assert (found.good, found.flaws, found.files) == (1, (), ())


def test_depth_without_a_known_pixel_is_reported(rooms: Path) -> None:
    put(image_and_depth(rooms, "bath/1")[1], np.full(SIZE_PX, np.nan, np.float32))
    (flaw,) = check_dataset(str(rooms)).flaws
    assert flaw.kind == "unreadable" and flaw.reason.endswith("bath/1.npy has no pixel of known depth")


def test_a_source_that_is_no_data_set_is_one_line(tmp_path: Path) -> None:
    put(tmp_path / "a.png", photo())
    for source in (tmp_path, tmp_path / "a.png", tmp_path / "missing"):
        with pytest.raises(InputError, match="expected a folder with images and depth"):
            check_dataset(str(source))


def test_an_interrupt_stops_the_reading(rooms: Path) -> None:
    def stop(done: int, wanted: int) -> None:
        if done:
            raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        check_dataset(str(rooms), on_progress=stop)
    assert threading.active_count() == before


def test_a_unit_that_was_given_stays_with_the_good_pairs(tmp_path: Path) -> None:
    put(tmp_path / "a.png", photo())
    put(tmp_path / "a_depth.png", np.full(SIZE_PX, 512, np.uint16))
    (one,) = check_dataset(str(tmp_path), units_per_m=256.0).files
    assert one.units_per_m == 256.0
    assert check_dataset(str(tmp_path)).files[0].units_per_m is None

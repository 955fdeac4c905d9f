"""The files of a data set are found alike in a manifest, a list and a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from depth_datasets import depth_map, photo, put

from depthrt.bench.datasets.manifest import Entry, write_manifest
from depthrt.bench.datasets.pairs.find import PairFiles, find_files

DRIVE = "2011_09_26_drive_0002_sync"


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    for name in ("hall/1", "hall/2", "bath/1"):
        put(tmp_path / "rgb" / f"{name}.png", photo())
        put(tmp_path / "depth" / f"{name}.npy", depth_map())
    return tmp_path


def entry(name: str, **more: object) -> Entry:
    return Entry(f"rgb/{name}.png", f"depth/{name}.npy", name.partition("/")[0], **more)  # type: ignore[arg-type]


def test_a_manifest_a_list_and_a_folder_name_the_same_pairs(rooms: Path) -> None:
    names = ("bath/1", "hall/1", "hall/2")
    (rooms / "list.txt").write_text("".join(f"rgb/{name}.png depth/{name}.npy\n" for name in names))
    write_manifest(rooms / "some.jsonl", [entry(name) for name in names])
    expected = tuple(
        PairFiles(rooms / f"rgb/{name}.png", rooms / f"depth/{name}.npy", name.partition("/")[0], "files")
        for name in names
    )
    for source in (rooms, rooms / "list.txt", rooms / "some.jsonl"):
        found = find_files(source)
        assert found is not None and found.pairs == expected
        assert found.is_manifest == (source.suffix == ".jsonl") and found.root == rooms


def test_a_folder_with_a_manifest_is_read_by_it(rooms: Path) -> None:
    write_manifest(rooms / "manifest.jsonl", [entry("hall/2", mask="m.png", split="val", units_per_m=5.0)])
    found = find_files(rooms)
    assert found is not None and found.is_manifest
    (one,) = found.pairs
    assert (one.mask, one.split, one.units_per_m) == (rooms / "m.png", "val", 5.0)


def test_the_unit_of_kitti_is_known_by_its_folders(tmp_path: Path) -> None:
    depth = f"gt/{DRIVE}/proj_depth/groundtruth/image_02/0000000005.png"
    write_manifest(tmp_path / "m.jsonl", [Entry("a.png", depth, DRIVE), Entry("a.png", "b.png", "b", layout="kitti")])
    (tmp_path / "l.txt").write_text(f"a.png {depth} 721.5\n")
    for source in ("m.jsonl", "l.txt"):
        found = find_files(tmp_path / source)
        assert found is not None
        assert {(one.layout, one.units_per_m) for one in found.pairs} == {("kitti", 256.0)}


def test_a_file_of_another_kind_has_no_pairs(rooms: Path) -> None:
    assert find_files(rooms / "rgb" / "hall" / "1.png") is None

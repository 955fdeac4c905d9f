"""A manifest comes back as it was written, and each wrong line is named by its number and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthrt.bench.datasets.manifest import Entry, manifest_of, read_manifest, write_manifest
from depthrt.engine.errors import InputError

ENTRIES = (
    Entry("image/my room/a 1.jpg", "depth/my room/a 1.npy", "my room", "regions/a 1.png", "train"),
    Entry("../é.png", "é.hdf5", "ai_001_002", split="val", layout="hypersim"),
    Entry("b.png", "b_depth.png", "b", units_per_m=256.0),
)


def test_a_manifest_comes_back_with_its_order_spaces_and_accents(tmp_path: Path) -> None:
    write_manifest(tmp_path / "m.jsonl", ENTRIES)
    assert read_manifest(tmp_path / "m.jsonl") == ENTRIES
    lines = (tmp_path / "m.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(ENTRIES)
    assert all(f'"{name}": ' in line for line in lines for name in ("image", "depth", "mask", "scene", "split"))
    assert "layout" not in lines[0] and "é" in lines[1]


def test_what_a_line_may_lack_is_none_and_its_scene_is_that_of_a_plain_folder(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text(
        '{"image": "rgb/hall/1.png", "depth": "d.npy"}\n\n{"image": "2.png", "depth": "e.npy", "layout": null}\n'
    )
    first, second = read_manifest(tmp_path / "m.jsonl")
    assert (first.scene, first.mask, first.split, first.layout, first.units_per_m) == ("hall", None, None, None, None)
    assert second.scene == "2"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.png b.npy", r"line 2: entry is not JSON"),
        ("[]", r"line 2: entry is not a JSON object"),
        ("{}", r"line 2: entry\.image is missing|line 2: entry\.depth is missing"),
        ('{"image": "a", "depth": "b", "scene": "c", "split": "trian"}', r"entry\.split is 'trian', expected one of"),
        ('{"image": "a", "depth": "b", "scene": ""}', r"entry\.scene is '', expected text of 1 to 255"),
        ('{"image": "a", "depth": "/b", "scene": "c"}', r"entry\.depth is '/b', expected a path relative to"),
        ('{"image": "a", "depth": 3, "scene": "c"}', r"entry\.depth is 3, expected text"),
        ('{"image": "a", "depth": "b", "scene": "c", "weight": 1}', r"entry\.weight is an unknown key"),
        ('{"image": "a", "depth": "b", "scene": "c", "layout": "nyu"}', r"entry\.layout is 'nyu', expected one of"),
        ('{"image": "a", "depth": "b", "scene": "c", "units_per_m": 0}', r"entry\.units_per_m is 0, expected"),
        ('{"image": "a", "image": "b", "depth": "b", "scene": "c"}', "a key stands twice"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "m.jsonl").write_text(f'{{"image": "a", "depth": "b"}}\n{line}\n')
    with pytest.raises(InputError, match=message) as caught:
        read_manifest(tmp_path / "m.jsonl")
    assert "\n" not in str(caught.value) and "m.jsonl, line 2" in str(caught.value)


def test_a_manifest_without_entries_or_without_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text("\n")
    with pytest.raises(InputError, match="has no entries, expected a JSON object on each line"):
        read_manifest(tmp_path / "m.jsonl")
    with pytest.raises(InputError, match="does not exist, expected a manifest"):
        read_manifest(tmp_path / "n.jsonl")


def test_an_entry_that_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    write_manifest(tmp_path / "m.jsonl", ENTRIES)
    before = (tmp_path / "m.jsonl").read_bytes()
    for wrong, message in ((Entry("/a", "b", "c"), "relative"), (Entry("a", "b", ""), "scene")):
        with pytest.raises(InputError, match=message):
            write_manifest(tmp_path / "m.jsonl", [*ENTRIES, wrong])
    assert (tmp_path / "m.jsonl").read_bytes() == before


def test_a_folder_has_the_manifest_of_that_name_only(tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").touch()
    assert manifest_of(tmp_path) is None
    (tmp_path / "manifest.jsonl").touch()
    assert manifest_of(tmp_path) == tmp_path / "manifest.jsonl"
    assert manifest_of(tmp_path / "other.JSONL") == tmp_path / "other.JSONL"
    assert manifest_of(tmp_path / "list.txt") is None

"""The paths of written scenes, and the lists and the manifest that name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthrt.bench.datasets.manifest import MANIFEST, read_manifest
from depthrt.bench.datasets.pairs.scenes import layout_of
from depthrt.finetune.data.scene_files import hypersim_files, vkitti2_files, write_lists


@pytest.mark.parametrize("place", [hypersim_files, vkitti2_files])
def test_each_scene_has_paths_and_a_name_of_its_own(tmp_path: Path, place: object) -> None:
    found = [place(tmp_path, index) for index in range(205)]  # type: ignore[operator]
    for what in ("name", "image", "depth", "regions"):
        assert len({getattr(files, what) for files in found}) == len(found)
    assert {layout_of(files.depth) for files in found} == {"hypersim" if place is hypersim_files else "vkitti2"}


def test_the_manifest_and_the_lists_put_each_scene_on_the_same_side(tmp_path: Path) -> None:
    found = [hypersim_files(tmp_path, index) for index in range(12)]
    found[3].regions.parent.mkdir(parents=True)
    found[3].regions.touch()
    train, val = write_lists(tmp_path, found)
    entries = read_manifest(tmp_path / MANIFEST)
    assert [entry.scene for entry in entries] == [files.name for files in found]
    for split, path in (("train", train), ("val", val)):
        lines = [f"{tmp_path / entry.image} {tmp_path / entry.depth}" for entry in entries if entry.split == split]
        assert path.read_text().splitlines() == lines
    assert {entry.split for entry in entries} == {"train", "val"}
    assert [number for number, entry in enumerate(entries) if entry.mask] == [3]  # folders of older versions lack masks

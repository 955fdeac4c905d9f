"""A sample depends on its frame's name, its copy and the seed, and on nothing that was made before."""

from __future__ import annotations

from pathlib import Path

import pytest
from augmented_rooms import files_in
from drawn_room import draw_room, write_hypersim_rooms

from depthrt.finetune.augment.make_sample import Workshop, make_sample
from depthrt.finetune.augment.options import Options
from depthrt.finetune.augment.paint.gallery import frames_gallery
from depthrt.finetune.augment.sample_files import paths_of
from depthrt.finetune.augment.source import open_frames


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    frames, _ = open_frames(write_hypersim_rooms(tmp_path_factory.mktemp("rooms") / "r", 3))
    gallery = frames_gallery([frame.name for frame in frames], lambda number: draw_room(60, 80, seed=number).image)
    return Workshop(frames, Options(), gallery, Path())


def made(workshop: Workshop, folder: Path, jobs: list[tuple[int, int]]) -> dict[str, bytes]:
    for number, copy in jobs:
        make_sample(workshop, number, copy, paths_of(folder, workshop.frames[number], copy), with_preview=copy == 1)
    return files_in(folder)


def test_order_and_company_change_nothing(workshop: Workshop, tmp_path: Path) -> None:
    first = made(workshop, tmp_path / "a", [(0, 0), (1, 0), (1, 1)])
    second = made(workshop, tmp_path / "b", [(1, 1), (2, 0), (0, 0), (1, 0)])
    assert first == {name: second[name] for name in first}
    assert [name for name in first if name.startswith("preview")] == [f"preview/1/{workshop.frames[1].name}.jpg"]


def test_copies_of_a_frame_differ(workshop: Workshop, tmp_path: Path) -> None:
    found = made(workshop, tmp_path, [(0, copy) for copy in range(5)])
    pictures = {data for name, data in found.items() if name.startswith("image")}
    assert len(pictures) > 2

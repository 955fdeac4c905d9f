"""Regions: from small maps of instances."""

from __future__ import annotations

import numpy as np
import pytest

from depthrt.finetune.probes.regions import (
    blades_and_gaps,
    flat_and_wall,
    floor,
    layers,
    parts_and_pillar,
    sky_and_land,
    stem_and_person,
    subject_and_other,
    things,
    whole,
)
from depthrt.finetune.scenes.settings.stage import OTHER, SUBJECT, SURFACE

SHAPE = (60, 120)
V, U = np.indices(SHAPE)


def scene(*parts: tuple[np.ndarray, int], ground: int = 0) -> np.ndarray:
    """Return instances: the ground, then parts over it."""
    thing = np.full(SHAPE, ground, np.int32)
    for where, number in parts:
        thing[where] = number
    return thing


def test_the_whole_is_all_but_the_sky() -> None:
    assert np.array_equal(whole(scene((V < 9, -1)))["known"], V >= 9)


def test_sky_and_land_leave_out_the_edge_of_the_sky() -> None:
    found = sky_and_land(scene((V < 20, -1)))
    assert np.array_equal(found["sky"], V < 17) and np.array_equal(found["land"], V >= 20)


def test_every_instance_but_the_room_is_a_thing() -> None:
    found = things(scene((U < 9, 4), (U > 99, 7), (V < 3, -1)))
    assert set(found) == {"4", "7"} and found["7"].sum() == ((U > 99) & (V >= 3)).sum()


def test_layers_and_subjects_are_found_by_their_numbers() -> None:
    thing = np.asarray(SUBJECT + U // 20, np.int32)
    assert [*layers(thing)] == ["1", "2", "3", "4"]
    pair = subject_and_other(thing)
    assert pair["subject"].sum() == (U < 20).sum() and pair["other"].sum() == (U // 20 == 1).sum()


def test_only_the_part_of_a_stem_beside_the_person_counts() -> None:
    found = stem_and_person(scene((abs(U - 50) < 20, SUBJECT), (V < 20, 0), (abs(U - 50) < 3, OTHER)))
    assert found["stem"][20:].any() and not found["stem"][:20].any()
    assert found["person"].any() and not (found["person"] & found["stem"]).any()


def test_gaps_are_inside_the_outline_of_the_blades() -> None:
    cross = (abs(U - 60) < 3) & (abs(V - 30) < 20) | (abs(V - 30) < 3) & (abs(U - 60) < 20)
    found = blades_and_gaps(scene((cross, SUBJECT), ((abs(U - 60) < 2) & (V > 49), OTHER)))
    assert found["gaps"][22, 54] and found["gaps"][38, 66]
    assert not found["gaps"][12, 42] and not (found["gaps"] & cross).any()
    assert not blades_and_gaps(scene())["gaps"].any()


def test_a_floor_has_no_edges() -> None:
    found = floor(scene((V >= 30, SURFACE)))["floor"]
    assert not found[:33].any() and found[33:].all()


def test_the_wall_around_a_picture_is_only_wall() -> None:
    picture = (abs(U - 60) < 9) & (abs(V - 30) < 9)
    found = flat_and_wall(scene((picture, SUBJECT), (U > 80, 12), ground=SURFACE))
    assert found["inside"].sum() == 11 * 11 and not found["inside"][~picture].any()
    assert found["around"][30, 45] and not found["around"][30, 85] and not found["around"][30, 5]


def test_the_parts_of_a_thing_are_left_and_right_of_the_pillar() -> None:
    found = parts_and_pillar(scene((V > 40, SUBJECT), (abs(U - 70) < 4, OTHER)))
    assert found["left"].sum() == ((V > 40) & (U <= 66)).sum()
    assert found["right"].sum() == ((V > 40) & (U >= 74)).sum()
    assert np.array_equal(found["pillar"], (V > 40) & (abs(U - 70) < 4))


@pytest.mark.parametrize("find", [stem_and_person, flat_and_wall, parts_and_pillar, floor])
def test_a_scene_without_the_things_has_empty_regions(find: object) -> None:
    assert callable(find)
    assert not any(region.any() for name, region in find(scene()).items())

"""Vehicles: they stand on their wheels, in their size, as a single instance."""

from __future__ import annotations

from drawn_objects import FLOOR, drawn, height_of, reach_of, things_of

from depthrt.finetune.scenes.objects.vehicles import draw_motorcycle, draw_vehicle

TYRE = 0.03  # metres that a tyre may be pressed into the ground


def test_a_vehicle_is_as_large_as_cars_to_buses_and_stands_on_the_ground() -> None:
    sizes = []
    for draft in drawn(draw_vehicle):
        (low, high), (across, along) = height_of(draft), reach_of(draft)
        assert -FLOOR < low < 0.05
        assert 1.2 < high < 3.6 and 0.8 < across < 1.6 and 1.75 < along < 6.0
        assert things_of(draft) == {1.0}
        sizes.append(along)
    assert min(sizes) < 2.5 and max(sizes) > 3.0  # cars and larger ones


def test_a_motorcycle_is_along_x_on_two_wheels() -> None:
    for draft in drawn(draw_motorcycle):
        (low, high), (along, across) = height_of(draft), reach_of(draft)
        assert -TYRE < low < 0.05
        assert 0.9 < high < 1.3 and 0.8 < along < 1.3 and across < 0.5
        assert things_of(draft) == {1.0}

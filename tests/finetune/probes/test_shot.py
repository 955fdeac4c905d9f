"""Shots: pictures with exact depth and regions, of seeds that show what they should."""

from __future__ import annotations

import numpy as np
import pytest

from depthrt.engine.errors import InputError
from depthrt.finetune.probes import regions
from depthrt.finetune.probes.align import Mask
from depthrt.finetune.probes.catalog import Probe
from depthrt.finetune.probes.shot import LEAST_PX, Shot, shoot


def test_a_shot_has_pictures_depth_and_regions_of_one_size(probe: Probe, shots: list[Shot]) -> None:
    assert len(shots) == 2
    for shot in shots:
        assert len(shot.images) == (2 if probe.change else 1)
        assert {image.shape for image in shot.images} == {(*shot.inverse.shape, 3)}
        assert (shot.inverse[~shot.known] == 0).all() and (shot.inverse[shot.known] > 0).all()
        assert all(region.shape == shot.known.shape and region.sum() >= LEAST_PX for region in shot.regions.values())
    first, second = shots
    assert not np.array_equal(first.images[0], second.images[0])


def test_the_two_pictures_of_a_scene_differ_in_light(probe: Probe, shots: list[Shot]) -> None:
    for shot in shots if probe.change else ():
        natural, unnatural = (image.astype(np.float64) for image in shot.images)
        assert np.abs(natural - unnatural).mean() > 20
        colour = [float(np.ptp(picture, axis=2).mean()) for picture in (natural, unnatural)]
        assert colour[1] > 1.5 * colour[0]


def test_a_scene_that_lacks_a_region_is_left_out_and_another_seed_taken() -> None:
    seen: list[int] = []

    def every_other(thing: regions.Things) -> dict[str, Mask]:
        seen.append(len(seen))
        return {"all": np.full(thing.shape, seen[-1] % 2 == 1)}

    assert len([*shoot("split", every_other, 5, size_px=(24, 32))]) == 5
    assert len(seen) == 10


def test_scenes_that_never_show_a_region_are_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"0 of 1 scenes 'stem' show all they should at 24x32 px .*larger") as caught:
        next(shoot("stem", regions.stem_and_person, 1, size_px=(24, 32)))
    assert "\n" not in str(caught.value)

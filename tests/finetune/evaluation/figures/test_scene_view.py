"""A sample as models are judged on it: which pixels count, and for what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from judged_rooms import ART, CAP_M, MIRROR, RULES, SIZE_PX, WINDOW, inside, room_sample, room_view

from depthrt.bench.accuracy.accuracy_meter import Rules
from depthrt.bench.datasets.regions import join_regions
from depthrt.bench.datasets.true_depth import TrueDepth
from depthrt.finetune.evaluation.figures.scene_view import view_scene


def test_answers_are_aligned_outside_mirrors_and_art() -> None:
    view = room_view()
    assert (view.clean == ~(inside(MIRROR) | inside(ART))).all() and view.alignable
    assert (view.inside("clean") == view.clean & ~inside(WINDOW)).all()
    assert [part.name for part in view.flat] == ["mirror", "art"] and [part.name for part in view.windows] == ["window"]


def test_depth_beyond_the_cap_counts_nowhere() -> None:
    view = view_scene(room_sample(), Rules("none", 5.0))
    assert not view.judged[WINDOW].any() and not view.windows and view.judged[MIRROR].all()


def test_the_sky_is_seen_in_a_window_but_not_judged() -> None:
    sample = room_sample()
    sky = inside(np.s_[62:80, 20:60])
    regions = join_regions({"mirror": inside(MIRROR), "window": inside(WINDOW), "sky": sky})
    view = view_scene(replace(sample, truth=TrueDepth(sample.truth.values, ~sky), regions=regions), RULES)
    assert not view.judged[sky].any() and view.seen[sky].all() and (view.inverse[sky] == 0).all()
    assert view.windows[0].inner[70, 40]


def test_without_masks_all_is_clean_and_nothing_is_flat() -> None:
    view = view_scene(replace(room_sample(), regions=None), RULES)
    assert view.inside("clean").all() and not view.inside("art").any() and not (*view.flat, *view.windows)


def test_an_image_that_is_all_mirror_cannot_be_aligned() -> None:
    everywhere = np.ones(SIZE_PX, np.bool_)
    view = view_scene(replace(room_sample(), regions=join_regions({"mirror": everywhere})), Rules("none", CAP_M))
    assert not view.alignable

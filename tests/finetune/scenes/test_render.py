"""Rendering: a seed is one scene with any others and at any size, and wrong requests are refused."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch
from seen_scenes import SMALL

from depthrt.engine.errors import InputError
from depthrt.finetune.scenes import render
from depthrt.finetune.scenes.draft import Eye
from depthrt.finetune.scenes.rays.camera import cameras_of
from depthrt.finetune.scenes.render import render_scenes
from depthrt.finetune.scenes.scene import Scenes
from depthrt.finetune.scenes.settings.compose import PROBES
from depthrt.finetune.scenes.settings.stage import light_unnaturally


@pytest.mark.parametrize("setting", ["mixed", "indoor", "outdoor", *PROBES])
def test_a_seed_is_one_scene_with_any_other_seeds(setting: str) -> None:
    single = render_scenes([7], **SMALL, setting=setting)
    together = render_scenes([3, 7, 11, 2, 9], **SMALL, setting=setting)
    for field in fields(Scenes):
        ours, theirs = getattr(single, field.name), getattr(together, field.name)
        if field.name == "planes":
            ours, theirs = ours[0], theirs[1, : ours.shape[1]]
        elif isinstance(ours, torch.Tensor):
            ours, theirs = ours[0], theirs[1]
        elif field.name == "cameras":
            ours, theirs = ours.position[0], theirs.position[1]
        else:
            continue
        assert torch.equal(ours, theirs), field.name


def test_scenes_rendered_in_groups_are_the_same_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = render_scenes(range(11), height_px=96, width_px=128)
    monkeypatch.setitem(render._GROUP_PX, "cpu", 3 * 96 * 128)  # groups of three
    parts = render_scenes(range(11), height_px=96, width_px=128)
    assert torch.equal(whole.image, parts.image)
    assert torch.equal(whole.depth_m, parts.depth_m)
    assert torch.equal(whole.planes, parts.planes)


def test_depth_at_a_direction_does_not_depend_on_resolution() -> None:
    coarse = render_scenes(range(6), height_px=33, width_px=43)
    fine = render_scenes(range(6), height_px=99, width_px=129)  # its every third pixel looks along a coarse one
    assert torch.allclose(fine.depth_m[:, 1::3, 1::3], coarse.depth_m, rtol=1e-4) or (
        # a pixel exactly on an edge may fall to either side
        ((fine.depth_m[:, 1::3, 1::3] - coarse.depth_m).abs() > 1e-4 * coarse.depth_m).float().mean() < 1e-3
    )


def test_other_seeds_are_other_scenes() -> None:
    scenes = render_scenes(range(6), **SMALL)
    images = scenes.image.float()
    assert all((images[i] - images[j]).abs().mean() > 5 for i in range(6) for j in range(i))


def test_another_texture_seed_changes_only_the_image() -> None:
    first, second = (
        render_scenes([4], **SMALL),
        render_scenes([4], **SMALL, texture_seed=1),
    )
    assert torch.equal(first.depth_m, second.depth_m)
    assert not torch.equal(first.image, second.image)


def test_a_change_of_light_changes_only_the_image() -> None:
    first = render_scenes([4], **SMALL, setting="lit")
    second = render_scenes([4], **SMALL, setting="lit", change=light_unnaturally)
    assert torch.equal(first.depth_m, second.depth_m) and torch.equal(first.thing, second.thing)
    assert (first.image.float() - second.image.float()).abs().mean() > 10


@pytest.mark.parametrize("size", [(1, 1), (7, 13), (37, 100), (100, 37)])
def test_any_size_is_rendered(size: tuple[int, int]) -> None:
    scenes = render_scenes([1, 2], height_px=size[0], width_px=size[1])
    assert scenes.image.shape == (2, 3, *size)
    assert scenes.depth_m.shape == scenes.plane.shape == scenes.window.shape == (2, *size)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": []}, "one or more seeds from 0"),
        ({"seeds": [-1]}, "seeds from 0"),
        ({"seeds": [1], "height_px": 0}, "sides from 1 px"),
        ({"seeds": [1], "samples": 3}, "square number"),
        ({"seeds": [1], "device": "meta"}, "device 'meta' found, expected cpu or cuda"),
        ({"seeds": [1], "cameras": cameras_of([Eye(), Eye()], "cpu")}, "2 cameras found for 1 seeds"),
        ({"seeds": [1], "setting": "space"}, "setting 'space' found, expected one of indoor"),
    ],
)
def test_a_wrong_request_is_refused_in_one_line(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        render_scenes(**options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_rendering_leaves_the_number_of_threads_as_it_was() -> None:
    torch.set_num_threads(2)
    render_scenes([1], **SMALL)
    assert torch.get_num_threads() == 2

"""Polynomials of solids: faces seen edge-on, and foliage that does not move with the camera."""

from __future__ import annotations

import pytest
from seen_scenes import back_project, draw, moved, project

from depthrt.finetune.scenes.draft import Draft, Eye
from depthrt.finetune.scenes.rays.camera import cameras_of
from depthrt.finetune.scenes.render import render_scenes
from depthrt.finetune.scenes.textures.materials import Palette


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("off_m", [0.0, 3e-16, -3e-16])
def test_a_box_with_a_face_seen_edge_on_is_seen_on_its_side_only(
    side: int, off_m: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def content(d: Draft, p: Palette) -> None:
        d.box(side * 0.5, 4.0, 1.1, 1.0, 1.0, 1.0, p.plastic())  # from the camera's plane to one side

    draw(monkeypatch, content)
    cameras = cameras_of([Eye((off_m, 0.0, 1.6), fov_rad=1.2)], "cpu")
    scenes = render_scenes([0], setting="drawn", height_px=160, width_px=160, cameras=cameras)
    seen = scenes.valid[0]
    assert int(seen.sum()) > 400
    assert scenes.depth_m[0][seen].sub(3.5).abs().max() < 1e-6  # only the front is seen
    columns = seen.nonzero()[:, 1]
    assert int((columns >= 80).sum() if side < 0 else (columns < 80).sum()) == 0


def test_leaves_do_not_move_with_the_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    def content(d: Draft, p: Palette) -> None:
        d.lace(0, 4, 1.6, 1, 1, 1, p.leaves(), waves=12)

    first = draw(monkeypatch, content, (240, 240))
    second = render_scenes(
        [0], setting="drawn", height_px=240, width_px=240, cameras=moved(first.cameras, sideways_m=0.5)
    )
    u, v, z = project(second, 0, back_project(first, 0))
    near = first.valid[0] & ((u - u.round()).abs() < 0.2) & ((v - v.round()).abs() < 0.2)
    found = second.depth_m[0].double()[v[near].round().long(), u[near].round().long()]
    through = (found == 0) | (found > z[near] * 1.02)
    assert int(near.sum()) > 500
    assert float(through.float().mean()) < 0.08  # a fifth of a pixel off may miss the edge of a leaf
    assert 0.5 < float(first.valid[0, 90:150, 90:150].float().mean()) < 1  # leaves and holes

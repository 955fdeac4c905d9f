"""The table of solids of several drafts."""

from __future__ import annotations

import math

import torch
from seen_scenes import made_draft

from depthrt.finetune.scenes.draft import THING, Draft
from depthrt.finetune.scenes.rays.solids import (
    KIND_BALL,
    KIND_BOX,
    KIND_LACE,
    KIND_ROUND,
    gather_solids,
    gather_windows,
)
from depthrt.finetune.scenes.textures.materials import FIELD_AT, MATERIAL_FIELDS, Palette


def content(d: Draft, p: Palette) -> None:
    d.box(0, 1, 0, 1, 2, 3, p.mirror())
    with d.at(0, 2, 0):
        d.ball(0, 0, 0, 1, 1, 1, p.plastic())
        d.tube(0, 0, 0, 1, 1, p.plastic(), hollow=True)
        d.lace(0, 0, 0, 1, 1, 1, p.leaves(), waves=4 * math.pi)
    d.window(1, 2, 3, 1, 0.01, 1)


def test_each_solid_knows_its_scene_and_each_scene_its_rows() -> None:
    empty = made_draft(lambda d, p: None)
    table = gather_solids([made_draft(content), empty, made_draft(content, seed=1)], "cpu")
    assert table.first.tolist() == [0, 4, 4, 8]
    assert table.scene.tolist() == [0] * 4 + [2] * 4
    assert table.kind.tolist() == [KIND_BOX, KIND_BALL, KIND_ROUND, KIND_LACE] * 2
    assert table.thing.tolist() == [0, 1, 1, 1] * 2
    assert table.mirrors.tolist() == [0, 4]


def test_only_tubes_are_hollow_and_lace_counts_waves() -> None:
    table = gather_solids([made_draft(content)], "cpu")
    assert table.hollow.tolist() == [False, False, True, False]
    assert float(table.lace[3]) == 2.0


def test_geometry_and_material_are_those_of_the_draft() -> None:
    draft = made_draft(content)
    table = gather_solids([draft], "cpu")
    for index, row in enumerate(draft.solids):
        assert tuple(table.centre[index].tolist()) == row[1:4]
        assert tuple(table.rotation[index].flatten().tolist()) == row[4:13]
        assert tuple(table.half[index].tolist()) == row[13:16]
        for name in MATERIAL_FIELDS:
            assert float(table.material[name][index]) == float(torch.tensor(row[THING + 1 + FIELD_AT[name]]))


def test_windows_are_boxes_without_a_material_and_drafts_may_have_none() -> None:
    table = gather_windows([made_draft(content), made_draft(lambda d, p: None)], "cpu")
    assert (table.kind.tolist(), table.first.tolist()) == ([KIND_BOX], [0, 1, 1])
    assert all(float(values.abs().max()) == 0 for values in table.material.values())
    none = gather_windows([made_draft(lambda d, p: None)], "cpu")
    assert len(none.kind) == 0 and none.centre.shape == (0, 3)

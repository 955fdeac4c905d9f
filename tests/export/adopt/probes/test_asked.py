"""Answers have the image's size, come one by one or in a batch, and an output of another size is a line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from edited_graphs import with_ending
from made_foreign import contract_of_theirs

from depthrt import ModelFileError
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.export.adopt.probes.asked import ask, smaller
from depthrt.export.adopt.probes.rooms import read_rooms

CONTRACT = contract_of_theirs()
IMAGES = [room.image for room in read_rooms()]


def test_an_answer_has_the_size_of_its_image(renamed: Path) -> None:
    with ask(renamed, CONTRACT) as asked:
        assert asked.answer(IMAGES[0]).shape == (240, 320)
        assert asked.under(smaller(CONTRACT)).answer(IMAGES[0][:, :100]).shape == (240, 100)


def test_a_batch_of_a_fixed_number_is_filled(renamed: Path) -> None:
    with ask(renamed, replace(CONTRACT, batch=3)) as asked:
        found = asked.answers(IMAGES[:2])
        np.testing.assert_allclose(found[1], asked.answer(IMAGES[1]), atol=1e-5)
        assert len(found) == 2


def test_an_output_of_another_size_is_a_line(renamed: Path, tmp_path: Path) -> None:
    rows = (np.array([0]), np.array([7]), np.array([1]))
    cut = with_ending(renamed, tmp_path / "cut.onnx", lambda end: end.add("Slice", *rows))
    words = "1x7x126 for 1 inputs of 98x126 px, expected 1x98x126: the graph baked a size"
    with ask(cut, CONTRACT) as asked, pytest.raises(ModelFileError, match=words):
        asked.answer(IMAGES[0])


def test_metres_follow_the_focal_length_where_the_contract_says_so(renamed: Path) -> None:
    metric = contract_of_theirs("metric")
    with ask(renamed, metric) as asked:
        assert asked.factor(300, (240, 320)) == 1
    with ask(renamed, replace(metric, focal_unit_px=300.0, size=SizeRule((126, 168), 14, "stretch"))) as asked:
        assert asked.factor(300, (240, 320)) == pytest.approx(126 / 240)


def test_smaller_keeps_to_the_multiple_and_never_ends_at_0() -> None:
    assert smaller(CONTRACT).size.base_px == (56, 56)
    assert smaller(replace(CONTRACT, size=SizeRule((32, 32), 32, "lower_bound"))).size.base_px == (32, 32)

"""The record of a bag comes back as it was written; a wrong value is a line that names the field."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_bag_record import RECORD

from depthrt import InputError, ObstacleGate
from depthrt.robots.writing.record import BagRecord


def test_a_record_comes_back() -> None:
    assert BagRecord.from_json(RECORD.to_json()) == RECORD
    assert BagRecord.from_json(replace(RECORD, finished=True, flaw="cut").to_json()).flaw == "cut"
    gated = replace(RECORD, made=replace(RECORD.made, gate=ObstacleGate(0.05, 1.5, camera_height_m=0.4)), no_floor=2)
    assert BagRecord.from_json(gated.to_json()) == gated and "gate" not in RECORD.to_json()


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"kind": "metric"', '"kind": "depth"', "depthrt.made.kind is .*depth"),
        ('"steps": 3', '"steps": -1', "depthrt.steps is -1"),
        ('"unit": "m"', '"unit": "mm"', "depthrt.made.unit"),
        ('"format": 1', '"format": 2', "depthrt.format is 2"),
        ('"images": 3', '"pictures": 3', "pictures is an unknown key"),
        ("{", "", "not JSON"),
    ],
)
def test_a_wrong_record_is_a_line_that_names_the_field(old: str, new: str, complaint: str) -> None:
    text = RECORD.to_json()
    assert old in text
    with pytest.raises(InputError, match=complaint):
        BagRecord.from_json(text.replace(old, new, 1))

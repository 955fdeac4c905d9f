"""Provenance survives JSON, and a record of other keys is refused."""

from __future__ import annotations

import json
from dataclasses import replace

from made_depth import PROVENANCE
from refusal import refusal

from depthrt.engine.depth.provenance import Provenance


def test_provenance_goes_through_json_and_back() -> None:
    found = json.loads(json.dumps(PROVENANCE.to_dict()))
    assert Provenance.from_dict(found) == PROVENANCE
    assert PROVENANCE.timings.total_ms == 22.25
    assert "provenance.colour is an unknown key" in refusal(lambda: Provenance.from_dict({**found, "colour": "red"}))
    short = refusal(lambda: Provenance.from_dict({**found, "timings": {"run_ms": 1.0}}))
    assert "provenance.timings.postprocess_ms is missing" in short


def test_the_time_of_a_frame_is_part_of_it_and_an_image_has_none() -> None:
    timed = replace(PROVENANCE, time_s=1.5)
    found = json.loads(json.dumps(timed.to_dict()))
    assert found["time_s"] == 1.5 and Provenance.from_dict(found) == timed
    assert "time_s" not in PROVENANCE.to_dict()
    assert "provenance.time_s is -1" in refusal(lambda: Provenance.from_dict({**found, "time_s": -1}))

"""Provenance survives JSON, and a record of other keys is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from made_depth import PROVENANCE
from refusal import refusal

from depthrt.engine.depth.intrinsics import Intrinsics
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


@pytest.mark.parametrize("size_px", [None, (24, 37)])
def test_the_camera_and_a_live_frames_stamp_and_age_are_part_of_it(size_px: tuple[int, int] | None) -> None:
    camera = Intrinsics(500.0, 510.5, 18.0, 11.5, size_px)
    live = replace(PROVENANCE, camera=camera, stamp_ns=(1 << 62) + 1, age_ms=41.5, skipped=0)
    found = json.loads(json.dumps(live.to_dict()))
    assert Provenance.from_dict(found) == live
    assert not {"camera", "stamp_ns", "age_ms", "skipped"} & PROVENANCE.to_dict().keys()
    for key, value, message in (
        ("age_ms", -1, "provenance.age_ms is -1"),
        ("skipped", 1.5, "provenance.skipped is 1.5, expected a whole number"),
        ("camera", {**found["camera"], "fx_px": 0}, "provenance.camera.fx_px is 0, expected a finite number above 0"),
    ):
        assert message in refusal(lambda: Provenance.from_dict({**found, key: value}))  # noqa: B023 (called at once)

"""Provenance survives JSON, and a record of other keys is refused."""

from __future__ import annotations

import json

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

"""Small scenes of each probe, rendered once a test run."""

from __future__ import annotations

import pytest

from depthrt.finetune.probes.catalog import PROBES, Probe
from depthrt.finetune.probes.shot import Shot

SMALL_PX = (192, 256)
COUNT = 2

_SHOTS: dict[str, list[Shot]] = {}


@pytest.fixture(params=PROBES, ids=lambda probe: probe.name)
def probe(request: pytest.FixtureRequest) -> Probe:
    """Each probe."""
    found: Probe = request.param
    return found


@pytest.fixture
def shots(probe: Probe) -> list[Shot]:
    """Scenes of the probe."""
    if probe.name not in _SHOTS:
        _SHOTS[probe.name] = [*probe.shoot(COUNT, SMALL_PX)]
    return _SHOTS[probe.name]

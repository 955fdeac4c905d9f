"""The measurement of ages: the newest frame stays young, a queue does not."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from depthrt.bench import newest
from depthrt.bench.newest import Part, summary


def test_the_ages_of_a_queue_grow_and_those_of_the_newest_frame_do_not() -> None:
    result = CliRunner().invoke(newest.main, ["--rate-hz", "60", "--busy-ms", "60", "--minutes", "0.012"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    first, last = found["queue_by_part"][0], found["queue_by_part"][-1]
    assert last["p50_ms"] > first["p50_ms"]
    assert found["newest"]["p50_ms"] < last["p50_ms"] and found["newest"]["p50_ms"] >= 60
    assert "age p99" in result.stderr


def test_ages_are_summed_up_by_part() -> None:
    parts = summary([(0.5, 0.1), (0.9, 0.2), (1.5, 0.3)], every_s=1.0)
    assert [part.depths for part in parts] == [2, 1]
    assert parts[1] == Part(1, 300.0, 300.0, 300.0) and parts[0].p50_ms == pytest.approx(150)

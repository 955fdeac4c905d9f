"""The long measurement of a bridge, for two seconds."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import pytest
from made_bags import picture
from tiny_model import TinyModel
from zenoh_peers import free_endpoint

from depthrt import InputError
from depthrt.bench.bridge import IN, OUT, Reader, _minute, measure, summary
from depthrt.robots.bridge.request import BridgeRequest
from depthrt.robots.bridge.session import Session


def test_each_minute_has_rates_ages_and_memory(tiny_metric: TinyModel) -> None:
    place = free_endpoint()
    command = [sys.executable, "-m", "depthrt", "bridge", "--in", IN, "--out", OUT, "-m", str(tiny_metric.onnx)]
    command += ["--json", "--connect", place, "--threads", "1"]
    with Session(BridgeRequest(IN, listen=(place,))) as session:
        pictures = [picture(number, 480, 640) for number in range(2)]
        found = measure(command, session, pictures, rate_hz=20, minutes=2, lines_a_minute=2)
    assert len(found["minutes"]) == 2 and found["lines"] == 4 and found["exit_code"] == 143
    assert found["sent"] >= found["read"] > 0 and found["stamps_backward"] == 0
    ages = [minute["reader_age_ms"] for minute in found["minutes"] if minute["reader_age_ms"] is not None]
    assert ages and ages[-1][0] > 0 and found["minutes"][-1]["memory_mib"] > 20
    assert summary(found)["first_tenth"]["memory_mib"] == found["minutes"][0]["memory_mib"]
    assert json.loads(json.dumps(found)) == found | {"minutes": json.loads(json.dumps(found["minutes"]))}


def test_a_bridge_that_ends_at_once_is_a_line() -> None:
    with Session(BridgeRequest(IN, listen=(free_endpoint(),))) as session, pytest.raises(InputError, match="ended"):
        measure([sys.executable, "-c", ""], session, [], rate_hz=1, minutes=1)


def test_a_stamp_that_goes_back_is_counted() -> None:
    reader = Reader()
    for stamp_ns in (1, 2, 2, 1):
        reader.hear(stamp_ns)
    assert len(reader.ages_ms) == 4 and reader.backward == 2


def test_a_minute_without_depth_is_recorded() -> None:
    line = {"age_ms": None, "in_hz": 0.0, "out_hz": 0.0, "dropped": 0, "failed": 0}
    minute = _minute([line], 10, [], 20.0)
    assert minute.bridge_age_ms is None and minute.reader_age_ms is None
    whole = summary({"minutes": [asdict(minute)]})
    assert whole["first_tenth"]["reader_age_p50_ms"] is None and whole["reader_age_most_ms"] == 0

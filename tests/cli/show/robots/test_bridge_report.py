"""What `depthrt bridge` prints: a line a second, each error once, a summary; or lines of JSON."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from depthrt import InputError
from depthrt.cli.show.robots.bridge_report import BridgeReport, status_line
from depthrt.robots.bridge.listener import Status
from depthrt.robots.bridge.request import Topics
from depthrt.robots.bridge.tally import Counts

MODEL: Any = SimpleNamespace(
    contract=SimpleNamespace(model="made"),
    runner=SimpleNamespace(precision="fp32", name="onnxruntime", provider="CPUExecutionProvider"),
    notes=(),
)
BUSY = Status(7.0, Counts(1.0, 30, 22, 0, 8, 0, 0, (62.4, 81.2), 64.9), 2, 0.03, None)
QUIET = Status(9.0, Counts(1.0), 0, 7.6, "no router or peer of Zenoh at tcp/localhost:7447")


def test_a_status_is_a_line_of_talk(capsys: pytest.CaptureFixture[str]) -> None:
    report = BridgeReport(as_json=False)
    report.started(MODEL, Topics("/a/image", "/a/camera_info", "/b/depth", "/b/camera_info", None), "tcp/robot:7447")
    report.status(BUSY)
    report.status(QUIET)
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.splitlines() == [
        "made fp32 on onnxruntime, CPUExecutionProvider",
        "/a/image -> /b/depth, /b/camera_info, through tcp/robot:7447; Ctrl-C ends it",
        "in 30.0 Hz, out 8.0 Hz, age 62/81 ms (p50/p99), since the stamp 65 ms, 22 dropped",
        "no image for 8 s: no router or peer of Zenoh at tcp/localhost:7447",
    ]


def test_what_went_wrong_stands_in_the_line_and_in_the_summary(capsys: pytest.CaptureFixture[str]) -> None:
    report = BridgeReport(as_json=False)
    report.failed(InputError("a bad\nimage"))
    counts = Counts(2.0, 10, 1, 2, 6, 1, 3, (60.0, 80.0), 70.0)
    report.status(Status(2.0, counts, 1, 0.1, None))
    report.ended(counts)
    assert capsys.readouterr().err.splitlines() == [
        r"error: a bad\nimage (said once, counted as failed)",
        "in 5.0 Hz, out 3.0 Hz, age 60/80 ms (p50/p99), since the stamp 70 ms, 1 dropped, 2 lost on the way, "
        "1 failed, 3 without a floor",
        "2 s: 10 images in, 6 depths out, 1 dropped, 2 lost on the way, 1 failed, 3 without a floor, "
        "age 60/80 ms (p50/p99)",
    ]


@pytest.mark.parametrize("stamp_age_ms", [1.7e12, -1.7e12])
def test_stamps_of_a_simulation_are_no_age(stamp_age_ms: float) -> None:
    counts = Counts(1.0, 1, published=1, age_ms=(60.0, 80.0), stamp_age_ms=stamp_age_ms)
    assert status_line(Status(1.0, counts, 1, 0.1, None)) == (
        "in 1.0 Hz, out 1.0 Hz, age 60/80 ms (p50/p99), stamps of another time, 0 dropped"
    )


def test_json_is_a_line_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    report = BridgeReport(as_json=True)
    report.status(BUSY)
    report.status(QUIET)
    busy, quiet = map(json.loads, capsys.readouterr().out.splitlines())
    assert busy["age_ms"] == {"p50": 62.4, "p99": 81.2} and (busy["in_hz"], busy["out_hz"]) == (30.0, 8.0)
    assert (busy["dropped"], busy["failed"], busy["lost"], busy["peers"]) == (22, 0, 0, 2)
    assert quiet["age_ms"] is None and quiet["stamp_age_ms"] is None and quiet["waits_for"].startswith("no router")
    assert busy.keys() == quiet.keys()

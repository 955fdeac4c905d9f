"""What `depthrt bag` prints: failures at once, a summary at the end, the path or JSON on standard output."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from made_bag_record import RECORD
from made_depth import surface

from depthrt import InputError
from depthrt.cli.show.robots.bag_report import BagReport
from depthrt.engine.system.process.overlap import Outcome
from depthrt.robots.bag import BagOutcome
from depthrt.robots.listener import BagListener

MODEL: Any = SimpleNamespace(
    contract=SimpleNamespace(model="made"),
    runner=SimpleNamespace(precision="fp32", name="onnxruntime", provider="CPUExecutionProvider"),
    notes=(),
)
PLAN: Any = SimpleNamespace(
    image=SimpleNamespace(name="/front/image_raw", messages=3), depth=SimpleNamespace(name="/front/depth/image_rect")
)


def outcomes(listener: BagListener, *, stop: bool = False, end: bool = True) -> Generator[BagOutcome]:
    listener.started(MODEL, PLAN, replace(RECORD, steps=0, images=0))
    yield Outcome(0, surface("metric"), None)
    yield Outcome(1, None, InputError("a bad\nimage"))
    if end:
        listener.ended(replace(RECORD, images=1, failed=1, finished=not stop))
    if stop:
        raise KeyboardInterrupt


def test_failures_are_named_and_the_path_is_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    report = BagReport(Path("out"), as_json=False)
    report.follow(outcomes)
    shown = capsys.readouterr()
    assert report.exit_code == 1 and shown.out == "out\n"
    assert r"error: image 2: a bad\nimage" in shown.err and "1 images in" in shown.err and "1 failed" in shown.err


def test_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    BagReport(Path("out"), as_json=True).follow(outcomes)
    found = json.loads(capsys.readouterr().out)
    assert found["bag"] == "out" and found["images"] == 1 and found["failed"] == 1 and found["drift"] == 1e-6


def test_an_interrupt_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    report = BagReport(Path("out"), as_json=False)
    report.follow(lambda listener: outcomes(listener, stop=True))
    assert report.exit_code == 130 and "interrupted, --resume continues" in capsys.readouterr().err


def test_a_run_without_a_bag_prints_no_path(capsys: pytest.CaptureFixture[str]) -> None:
    BagReport(Path("out"), as_json=False).follow(lambda listener: outcomes(listener, stop=True, end=False))
    shown = capsys.readouterr()
    assert shown.out == "" and "no bag is left" in shown.err


def test_images_without_a_floor_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    def gated(listener: BagListener) -> Generator[BagOutcome]:
        listener.started(MODEL, PLAN, replace(RECORD, steps=0, images=0))
        yield Outcome(0, surface("metric"), None)
        listener.ended(replace(RECORD, images=5, no_floor=2))

    BagReport(Path("out"), as_json=False).follow(gated)
    assert "no floor was found in 2 of 5 images, which have no points" in capsys.readouterr().err

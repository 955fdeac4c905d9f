"""The cost of reading and writing beside pure inference."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from tiny_model import PHOTOS, TinyModel

from depthrt.bench import run_overhead

COFFEE = PHOTOS / "coffee.jpg"


def run(program: click.Command, *arguments: object) -> Result:
    return CliRunner().invoke(program, list(map(str, arguments)), catch_exceptions=False)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_images_that_are_there_are_run_and_compared(tiny: TinyModel) -> None:
    found = run(run_overhead.main, tiny.onnx, COFFEE, "--images", 2)
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["total"]["images"] == 2

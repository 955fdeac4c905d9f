"""The cost of reading and writing beside pure inference."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from made_subjects import MadeRunner, slope, subject, write_images
from tiny_model import PHOTOS, TinyModel

from depthrt.bench import run_overhead
from depthrt.bench.run_overhead import BLOCK_IMAGES, Overhead, measure
from depthrt.engine.errors import InputError
from depthrt.engine.run.sources import find_sources

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


def test_the_ratio_is_the_whole_time_over_that_of_inference() -> None:
    assert Overhead(10, run_s=2.2, pure_s=2.0).ratio == pytest.approx(1.1)


@pytest.mark.parametrize("images", [1, BLOCK_IMAGES, 2 * BLOCK_IMAGES + 1])
def test_every_image_is_run_once_both_ways_in_blocks(tmp_path: Path, images: int) -> None:
    runner = MadeRunner(slope())
    (path,) = write_images(tmp_path, 1)
    folder = tmp_path / "out"
    folder.mkdir()
    with subject("made", runner).open() as model:
        blocks = measure(model, find_sources([str(path)]) * images, folder)
    sizes = [min(BLOCK_IMAGES, images - first) for first in range(0, images, BLOCK_IMAGES)]
    assert [block.images for block in blocks] == sizes
    assert runner.calls == min(2, images) + 2 * images  # two wake the model
    assert all(block.run_s > 0 and block.pure_s > 0 for block in blocks)
    assert any(folder.iterdir())


def test_an_image_that_cannot_be_read_ends_the_measurement(tmp_path: Path) -> None:
    (path,) = write_images(tmp_path, 1)
    sources = find_sources([str(path)])
    path.write_text("text")
    with subject("made", MadeRunner(slope())).open() as model, pytest.raises(InputError, match=r"0\.png"):
        measure(model, sources, tmp_path)

"""The program that times bags: it measures the three ways for the same images, and prints the ratios."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from read_depth_bags import read_depth_bag
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt.bench import bag as program


def test_every_way_has_every_image(tiny: TinyModel, tmp_path: Path) -> None:
    pictures = program.find_pictures([str(PHOTOS / "coffee.jpg")], 3)
    assert {picture.shape for picture in pictures} == {(480, 640, 3)}
    with depthrt.load(tiny.onnx) as model:
        (block,) = program.measure(model, pictures, tmp_path)
    assert block.images == 3 and min(way.wall_s for way in (block.bag, block.infer, block.network)) > 0
    (topic,) = read_depth_bag(tmp_path / "0" / "out").values()
    assert len(topic.messages) == 3


def test_the_ratio_is_printed(tiny: TinyModel) -> None:
    found = CliRunner().invoke(program.main, [str(tiny.onnx), str(PHOTOS / "coffee.jpg"), "--images", "2"])
    report = json.loads(found.stdout)
    assert found.exit_code == 0 and report["ratio_to_infer"] > 0 and len(report["blocks"]) == 1


def test_no_photographs_are_a_line(tiny: TinyModel, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    found = CliRunner().invoke(program.main, [str(tiny.onnx), str(tmp_path / "a.mp4")])
    assert found.exit_code == 1 and "no image in" in found.stderr

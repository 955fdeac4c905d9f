"""The depth by a file's own way to resize, against that by the official way of its family, in numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tiny_model import TinyModel

import depthrt
from depthrt.engine.modelfile.canary import drift
from depthrt.engine.modelfile.contract import Contract, read_contract
from depthrt.engine.modelfile.shipped import PHOTO
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.export.adopt.official_rule import Deviation, deviations, official_contract, remark_on_rule
from depthrt.export.families.rules import HALF, Conventions

SIDE = 126
OFFICIAL = Conventions((SIDE, SIDE), "lower_bound", "bilinear_corners")


def foreign(contract: Contract) -> Contract:
    """Return a contract with the way of transformers' processor."""
    size = SizeRule((SIDE, SIDE), 14, "minimal")
    return replace(contract, size=size, input_resize="cubic_uint8", final_resize="bicubic")


def test_the_official_way_does_not_depart_from_itself(tiny: TinyModel) -> None:
    found = deviations(tiny.onnx, read_contract(tiny.onnx), OFFICIAL)
    assert [(one.drift, one.input_px == one.official_px) for one in found] == [(0.0, True)] * 2
    assert remark_on_rule(tiny.onnx, read_contract(tiny.onnx), OFFICIAL) == ""


def test_another_way_departs_by_as_much_as_the_depths_of_two_models(tiny: TinyModel) -> None:
    own = foreign(read_contract(tiny.onnx))
    small, large = deviations(tiny.onnx, own, OFFICIAL)
    with depthrt.load(tiny.onnx) as model:
        image = depthrt.read_image(PHOTO)
        wanted = model.infer(image).values
        model.contract = own
        depth = model.infer(image).values
    assert small.image_px == image.shape[:2] and small.drift == pytest.approx(drift(depth, wanted)) and small.drift > 0
    assert large.image_px[0] > small.image_px[0] and large.drift > 0


def test_the_size_rules_are_told_apart(tiny: TinyModel) -> None:
    large_side = replace(OFFICIAL, base_px=(518, 518))
    official = official_contract(read_contract(tiny.onnx), large_side)
    assert (official.size.base_px, official.size.rule) == ((518, 518), "lower_bound")
    departs = Deviation((400, 600), (350, 518), (518, 784), 0.0612)
    assert str(departs) == "6.12% of the range for a photograph of 400x600 px (input 350x518 instead of 518x784)"
    assert str(replace(departs, official_px=(350, 518))).endswith("(input 350x518)")


def test_the_remark_is_one_sentence_with_the_numbers(tiny: TinyModel) -> None:
    own = foreign(read_contract(tiny.onnx))
    remark = remark_on_rule(tiny.onnx, own, OFFICIAL)
    begin = "Images are not resized by the official rule of depth-anything-v2: the depth departs from the official by "
    assert remark.startswith(begin) and remark.count("% of the range for a photograph of ") == 2


def test_another_way_that_shows_nowhere_is_not_said(tiny_static: TinyModel) -> None:
    contract = read_contract(tiny_static.onnx)  # of a size that both photographs fill
    assert remark_on_rule(tiny_static.onnx, replace(contract, size=SizeRule((126, 196), 14, "stretch")), OFFICIAL) == ""


def test_a_file_that_does_not_run_by_the_official_rule_is_said_to(tiny_static: TinyModel) -> None:
    contract = replace(read_contract(tiny_static.onnx), size=SizeRule((126, 196), 14, "stretch"))
    squares = replace(OFFICIAL, base_px=(140, 140), rule="square")
    wrong = replace(contract, size=SizeRule((140, 140), 14, "stretch"))
    assert "and it does not run by that: " in remark_on_rule(tiny_static.onnx, wrong, squares)


def test_a_graph_of_one_size_keeps_it(tiny_static: TinyModel) -> None:
    contract = read_contract(tiny_static.onnx)
    stretched = replace(contract, size=SizeRule((126, 196), 14, "stretch"), input_resize="cubic_uint8")
    assert official_contract(stretched, OFFICIAL).size == SizeRule((126, 196), 14, "letterbox")
    small, _ = deviations(tiny_static.onnx, stretched, OFFICIAL)
    assert small.input_px == small.official_px == (126, 196) and small.drift > 0


def test_mean_margin_and_a_fixed_size_of_the_family_count(tiny: TinyModel) -> None:
    contract = read_contract(tiny.onnx)
    midas = Conventions((256, 256), "square", "bicubic", HALF, HALF)
    found = official_contract(contract, midas, 32)
    assert (found.size, found.mean, found.std) == (SizeRule((256, 256), 32, "square"), HALF, HALF)
    zoe = Conventions((384, 512), "minimal", "bicubic", HALF, HALF, "bilinear_corners", margin="zoe")
    found = official_contract(contract, zoe, 32)
    assert found.size == SizeRule((384, 512), 32, "minimal", margin="zoe") and found.input_resize == "bilinear_corners"

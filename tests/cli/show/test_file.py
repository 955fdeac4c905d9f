"""What `depthrt info` prints of a made contract, of made tunings and of made facts about a checkpoint."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made import CONTRACT
from random_checkpoint import TINY

from depthrt.cli.show.file import contract_rows, show_checkpoint, show_model, show_rows
from depthrt.engine.model.describe import ModelFacts
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.tuning import Tuning
from depthrt.export.checkpoint.checkpoint import CheckpointFacts
from depthrt.export.licences import licence_words

CORES = 2
TUNING = Tuning(Choice("openvino", "bf16", CORES), 1.9, 0.004, 0.005, "2026-11-21T12:00:00+00:00", ())
MODEL = ModelFacts(Path("my model.onnx"), CONTRACT, {}, CORES)
CHECKPOINT = CheckpointFacts(
    path=Path("mine[v2].pth"),
    file_format="PyTorch",
    sha256="0123456789abcdef" * 4,
    architecture=TINY,
    parameters=24_785_089,
    dtypes=("float16", "float32"),
    wrapper="",
    others=(),
    family=None,
    kind=None,
    max_depth_m=None,
    source="",
    official_name=None,
    licence="unknown",
    notes={},
    remarks=(),
)


def rows_of(printed: str) -> dict[str, str]:
    """Return the value of each printed row by its name; names are padded to 12 characters."""
    _, *lines = printed.splitlines()
    return {line[2:14].rstrip(): line[15:] for line in lines}


def test_a_known_licence_is_printed_with_its_link(capsys: pytest.CaptureFixture[str]) -> None:
    restricted = replace(MODEL, contract=replace(MODEL.contract, licence="CC-BY-NC-4.0"))
    show_model(restricted, as_json=False)
    assert rows_of(capsys.readouterr().out)["licence"] == licence_words("CC-BY-NC-4.0")


def test_a_contract_is_printed_a_line_a_fact_below_the_path(capsys: pytest.CaptureFixture[str]) -> None:
    show_model(MODEL, as_json=False)
    assert capsys.readouterr() == (
        "my model.onnx\n"
        "  model        depth-anything-v2-vits\n"
        "  output       inverse depth, no unit, larger is nearer\n"
        "  input        short side 518, any aspect, multiples of 14 px, any image(s) a batch\n"
        "  precision    fp32\n"
        "  attention    fused\n"
        "  made from    made.pth, sha256 0000000000000000\n"
        "  licence      unknown\n"
        "  made by      depthrt test\n"
        "  digest       none: changes are not noticed\n",
        "",
    )


def test_a_static_metric_contract_names_its_size_and_its_unit() -> None:
    size = SizeRule((518, 686), 14, "letterbox")
    rows = contract_rows(replace(CONTRACT, kind="metric", max_depth_m=20.0, size=size, batch=1))
    assert rows["output"] == "metres, up to 20"
    assert rows["input"] == "518x686, others are letterboxed, multiples of 14 px, 1 image(s) a batch"


def test_what_stays_in_float32_has_a_row() -> None:
    rows = contract_rows(replace(CONTRACT, precision="fp16", in_float32=("UnitVectors",)))
    assert rows["in float32"] == "UnitVectors" and "in float32" not in contract_rows(CONTRACT)


@pytest.mark.parametrize(
    ("changes", "output"),
    [
        ({"kind": "metric"}, "metres, without a bound"),
        ({"kind": "affine"}, "affine-invariant depth, no unit, larger is farther, scale and shift unknown"),
        ({"kind": "scale"}, "scale-invariant depth, no unit, larger is farther, scale unknown"),
    ],
)
def test_every_kind_says_what_its_numbers_mean(changes: dict[str, Any], output: str) -> None:
    assert contract_rows(replace(CONTRACT, **changes))["output"] == output


@pytest.mark.parametrize(
    ("rule", "sizes"),
    [
        (SizeRule((384, 384), 32, "minimal"), "one side near 384, any aspect"),
        (SizeRule((384, 512), 32, "minimal", margin="zoe"), "near 384x512, any aspect, with a mirrored margin"),
        (SizeRule((256, 256), 32, "upper_bound"), "long side 256, any aspect"),
        (SizeRule((384, 384), 32, "square"), "384x384, others are stretched to it"),
        (SizeRule((392, 518), 14, "stretch"), "392x518, others are stretched to it"),
        (SizeRule((768, 768), 8, "longest_floor", "edge_end"), "long side 768, any aspect"),
        (SizeRule((504, 504), 14, "longest_nearest"), "long side 504, any aspect"),
        (SizeRule((384, 512), 32, "lower_bound"), "at least 384x512, any aspect"),
    ],
)
def test_every_size_rule_is_in_words(rule: SizeRule, sizes: str) -> None:
    row = contract_rows(replace(CONTRACT, size=rule))["input"]
    assert row == f"{sizes}, multiples of {rule.multiple_px} px, any image(s) a batch"


def test_what_only_some_graphs_do_has_rows_of_its_own() -> None:
    special = {"mirrored", "steps", "focal", "sky"}
    assert not special & contract_rows(CONTRACT).keys()
    some = replace(CONTRACT, kind="metric", mirrored=True, steps=4, seed=7, focal_unit_px=300.0, sky_from=0.3)
    mirrored = contract_rows(some)
    assert {name: mirrored[name] for name in special} == {
        "mirrored": "answers with the mean of a picture and its mirror image",
        "steps": "4, from noise of seed 7",
        "focal": "metres are for a focal length of 300 px of the input",
        "sky": "invalid, and filled, where its output for sky is 0.3 or more",
    }
    assert contract_rows(replace(CONTRACT, steps=1))["steps"] == "1, from zeros"
    learned = contract_rows(replace(CONTRACT, kind="metric"))["focal"]
    assert learned == "learned: metres are for cameras like those of its training, whatever the focal length"


def test_each_tuning_is_a_row_with_the_command_that_undoes_it(capsys: pytest.CaptureFixture[str]) -> None:
    fewer = replace(TUNING, choice=Choice("onnxruntime", "fp32", 1), speed=1.0, drift=0.0)
    show_model(replace(MODEL, tunings={1: fewer, CORES: TUNING}), as_json=False)
    *_, own, other = capsys.readouterr().out.splitlines()
    assert own == f"  here         {TUNING} (2026-11-21; `depthrt tune 'my model.onnx' --forget` undoes it)"
    command = shlex.split(other.split("`")[1])
    assert command == ["depthrt", "tune", "my model.onnx", "--forget", "--threads", "1"]
    assert other.startswith("  --threads 1  tuned: onnxruntime fp32, 1 thread")


@pytest.mark.parametrize(
    ("tunings", "own", "others"), [({}, None, set()), ({1: TUNING}, None, {"1"}), ({CORES: TUNING}, 1.9, {"2"})]
)
def test_the_json_of_a_model_has_its_contract_and_every_tuning(
    tunings: dict[int, Tuning], own: float | None, others: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    show_model(replace(MODEL, tunings=tunings), as_json=True)
    printed, talk = capsys.readouterr()
    found = json.loads(printed)
    assert (found["path"], found["file"], found["kind"], found["max_depth_m"]) == (
        "my model.onnx",
        "onnx",
        "inverse",
        None,
    )
    assert (found["tuned"] or {}).get("speed") == own and found["tuned_by_threads"].keys() == others
    assert printed.count("\n") == 1 and talk == ""


def test_a_checkpoint_without_a_name_says_what_has_to_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    show_checkpoint(CHECKPOINT, as_json=False)
    printed, talk = capsys.readouterr()
    assert printed.startswith("mine[v2].pth\n") and talk == ""
    unknown = "unknown: the tensors do not tell; give it to `depthrt export`"
    assert rows_of(printed) == {
        "format": "PyTorch",
        "encoder": f"{TINY.encoder}, 24.8 M parameters, stored as float16, float32",
        "family": unknown,
        "kind": unknown,
        "licence": "unknown",
        "sha256": CHECKPOINT.sha256,
    }


def test_what_is_known_of_a_checkpoint_names_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    known = replace(
        CHECKPOINT,
        family="depth-anything-v2",
        kind="metric",
        max_depth_m=20.0,
        source="the official file name",
        wrapper="model.",
        others=("ema.",),
        notes={"step": "900"},
        remarks=("the raw weights were taken",),
    )
    show_checkpoint(known, as_json=False)
    *lines, remark = capsys.readouterr().out.splitlines()
    rows = rows_of("\n".join(lines))
    assert rows["family"] == "depth-anything-v2 (the official file name)"
    assert rows["kind"] == "metric, up to 20 m (the official file name)"
    assert rows["found under"] == "model., also in the file: ema." and rows["step"] == "900"
    assert remark == "  the raw weights were taken"


@pytest.mark.parametrize(
    ("wrapper", "others", "expected"),
    [
        ("", (), None),
        ("model.", (), "model."),
        ("", ("ema.",), "no prefix, also in the file: ema."),
        ("model.", ("ema.", "old."), "model., also in the file: ema., old."),
    ],
)
def test_where_the_network_lies_in_a_checkpoint_is_said_unless_it_is_all_of_it(
    wrapper: str, others: tuple[str, ...], expected: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    show_checkpoint(replace(CHECKPOINT, wrapper=wrapper, others=others), as_json=False)
    assert rows_of(capsys.readouterr().out).get("found under") == expected


def test_the_json_of_a_checkpoint_is_one_line_with_all_facts(capsys: pytest.CaptureFixture[str]) -> None:
    show_checkpoint(replace(CHECKPOINT, path=Path("a\nb.pth"), notes={"step": "900"}), as_json=True)
    printed, talk = capsys.readouterr()
    found = json.loads(printed)
    assert printed.count("\n") == 1 and talk == ""
    assert (found["path"], found["file"], found["encoder"]) == ("a\nb.pth", "checkpoint", TINY.encoder)
    assert (found["parameters"], found["dtypes"], found["notes"]) == (
        24_785_089,
        ["float16", "float32"],
        {"step": "900"},
    )
    assert found["family"] is None and found["kind"] is None


def test_rows_line_up(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(Path("a.onnx"), {"a": 1, "twelve chars": "b"})
    assert capsys.readouterr().out == "a.onnx\n  a            1\n  twelve chars b\n"

"""What `depthrt export` prints of a made export."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from made import CANARY, CONTRACT

from depthrt.cli.show.exported import show_exported
from depthrt.export.int8.quantize import Quantised
from depthrt.export.parity.parity import Parity
from depthrt.export.to_onnx import Exported

PARITY = (Parity("the canary", (28, 42), 1, 1.25e-7, 3.5e-6), Parity("two photographs", (28, 28), 2, 2e-7, 4e-6))
PLAIN = Exported(Path("my [new]/model.onnx"), CONTRACT, 94.62, PARITY)
QUANTISED = Quantised(
    layers=40, candidates=48, share=0.9, drift=0.008, worst=0.02, ranged=3, measured=3, held_out=False, canary=CANARY
)
INT8 = replace(PLAIN, contract=replace(CONTRACT, precision="int8"), quantised=QUANTISED)


def test_the_file_its_size_and_each_drift_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    show_exported(PLAIN, as_json=False)
    printed, talk = capsys.readouterr()
    assert printed == (
        "my [new]/model.onnx: depth-anything-v2-vits, fp32, 94.6 MiB\n"
        "  against torch on the canary (1x3x28x42): drift 1.2e-07 of the range, at most 3.5e-06\n"
        "  against torch on two photographs (2x3x28x28): drift 2.0e-07 of the range, at most 4.0e-06\n"
    )
    assert talk == ""


def test_int8_adds_the_line_of_its_layers(capsys: pytest.CaptureFixture[str]) -> None:
    show_exported(INT8, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert ", int8, " in lines[0] and lines[-1] == f"  {QUANTISED}"
    assert "int8 in 40 of 48 layers (90% of their products)" in lines[-1]


@pytest.mark.parametrize("as_json", [False, True])
def test_weights_beside_the_file_are_a_note_on_standard_error(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    show_exported(replace(PLAIN, weights=Path("model-1a2b.data")), as_json=as_json)
    printed, talk = capsys.readouterr()
    assert talk == "note: its weights are in model-1a2b.data, which has to stay beside it\n"
    assert ("model-1a2b.data" in printed) == as_json


def test_a_licence_that_restricts_use_is_told_with_its_link(capsys: pytest.CaptureFixture[str]) -> None:
    show_exported(replace(PLAIN, contract=replace(CONTRACT, licence="CC-BY-NC-4.0")), as_json=True)
    assert capsys.readouterr().err == (
        "note: the file has the licence of its weights, CC-BY-NC-4.0 (no commercial use), "
        "https://creativecommons.org/licenses/by-nc/4.0/legalcode\n"
    )


def test_json_is_one_line_with_the_same_facts(capsys: pytest.CaptureFixture[str]) -> None:
    show_exported(PLAIN, as_json=True)
    printed, talk = capsys.readouterr()
    assert printed.count("\n") == 1 and talk == ""
    assert json.loads(printed) == {
        "path": "my [new]/model.onnx",
        "model": "depth-anything-v2-vits",
        "file_mib": 94.62,
        "parity": [
            {"name": "the canary", "input_px": [28, 42], "images": 1, "drift": 1.25e-7, "largest": 3.5e-6},
            {"name": "two photographs", "input_px": [28, 28], "images": 2, "drift": 2e-7, "largest": 4e-6},
        ],
    }


def test_the_json_of_int8_has_its_figures_without_the_canary(capsys: pytest.CaptureFixture[str]) -> None:
    show_exported(INT8, as_json=True)
    found = json.loads(capsys.readouterr().out)["quantised"]
    expected = {"layers", "candidates", "share", "drift", "worst", "ranged", "measured", "held_out"}
    assert found.keys() == expected and (found["layers"], found["drift"]) == (40, 0.008)


def test_a_control_character_in_a_name_ends_no_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    show_exported(replace(PLAIN, path=Path("a\nb\x1b.onnx")), as_json=True)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1 and json.loads(printed)["path"] == "a\nb\x1b.onnx"


def test_what_stays_in_float32_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    half = replace(PLAIN, contract=replace(PLAIN.contract, precision="fp16-safe", in_float32=("LayerNorm", "softmax")))
    show_exported(half, as_json=False)
    assert "  in float32: LayerNorm, softmax\n" in capsys.readouterr().out
    show_exported(half, as_json=True)
    assert json.loads(capsys.readouterr().out)["in_float32"] == ["LayerNorm", "softmax"]

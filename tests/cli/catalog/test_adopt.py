from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from foreign_graphs import Graph, write_graph

from depthrt.cli import main

STATIC = Graph(image="input", depth="output", image_dims=(1, 3, 70, 98), depth_dims=(1, 70, 98))


def test_a_file_is_adopted_and_info_shows_where_it_comes_from(tmp_path: Path) -> None:
    theirs, ours = write_graph(tmp_path / "theirs.onnx", STATIC), tmp_path / "ours.onnx"
    colours = ["--mean", "0.485,0.456,0.406", "--std", "0.2"]
    arguments = ["adopt", str(theirs), "-o", str(ours), "--kind", "inverse", "--force", *colours]
    found = CliRunner().invoke(main, arguments)
    assert found.exit_code == 0, found.output
    known = "from theirs.onnx, never compared with a checkpoint; failed: its answers are not depth: rank correlation"
    first, second = found.stdout.splitlines()
    assert first == f"{ours}: adopted-theirs, fp32, 0.0 MiB" and second.startswith(f"  {known}")
    assert "Its graph is input -> output." in found.stderr
    shown = CliRunner().invoke(main, ["info", str(ours)])
    assert f"  adopted      {known}" in shown.stdout
    told = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)
    assert told["adopted"]["source"] == "theirs.onnx" and told["kind"] == "inverse"
    assert json.loads(CliRunner().invoke(main, ["info", str(ours), "--json"]).stdout)["adopted"] == told["adopted"]


@pytest.mark.parametrize("colours", ["0.5,0.5", "red", "1,2,3,4", ""])
def test_colours_that_are_none_are_wrong_usage(colours: str, tmp_path: Path) -> None:
    theirs = write_graph(tmp_path / "theirs.onnx", STATIC)
    found = CliRunner().invoke(main, ["adopt", str(theirs), "-o", str(tmp_path / "o.onnx"), "--mean", colours])
    assert found.exit_code == 2 and "expected R,G,B such as 0.485,0.456,0.406, or one number" in found.stderr


def test_what_is_missing_is_one_line(tmp_path: Path) -> None:
    theirs = write_graph(tmp_path / "theirs.onnx", STATIC)
    found = CliRunner().invoke(main, ["adopt", str(theirs), "-o", str(tmp_path / "ours.onnx")])
    assert found.exit_code == 1 and "--kind inverse, metric, affine or scale" in found.stderr.splitlines()[-1]
    assert not (tmp_path / "ours.onnx").exists()

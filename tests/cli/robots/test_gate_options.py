"""The options of the gate belong together, and what they ask for is a gate."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from made_floor_bag import write_floor_bag, write_floor_model
from run_verb import run

from depthrt import InputError, ObstacleGate
from depthrt.cli.robots.gate_options import gate_of

GATE = ("--gate", "0.05", "0.3", "--camera-height", "0.4")


def test_both_options_are_a_gate_and_neither_is_none() -> None:
    assert gate_of((0.05, 1.5), 0.4, points=True) == ObstacleGate(0.05, 1.5, camera_height_m=0.4)
    assert gate_of(None, None, points=False) is None
    with pytest.raises(InputError, match="a gate from 2 to 1 m found"):
        gate_of((2, 1), 0.4, points=True)


@pytest.mark.parametrize(
    ("gate", "height", "points", "complaint"),
    [
        ((0.05, 1.5), None, True, "--gate needs --camera-height too"),
        (None, 0.4, True, "--camera-height needs --gate too"),
        ((0.05, 1.5), 0.4, False, "give --points too"),
    ],
)
def test_an_option_without_another_that_it_needs_is_refused(
    gate: tuple[float, float] | None, height: float | None, points: bool, complaint: str
) -> None:
    with pytest.raises(click.UsageError, match=complaint):
        gate_of(gate, height, points=points)


def test_a_bag_gets_the_points_of_obstacles(tmp_path: Path) -> None:
    source, model = write_floor_bag(tmp_path / "in", 1), write_floor_model(tmp_path / "floor.onnx")
    found = run("bag", source, "-o", tmp_path / "out", "-m", model, "--points", *GATE, "--json")
    assert found.exit_code == 0 and json.loads(found.stdout)["no_floor"] == 0
    refused = run("bag", source, "-o", tmp_path / "other", "-m", model, *GATE)
    assert refused.exit_code == 2 and "give --points too" in refused.stderr and not (tmp_path / "other").exists()

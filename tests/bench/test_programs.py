"""The measuring programs: a mistake is one line before anything is measured, and results have a place to go."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from tiny_model import PHOTOS

from depthrt.bench import cost, cpu, run_overhead, self_check, serving
from depthrt.engine.errors import InputError
from depthrt.engine.system.files import try_place
from depthrt.exits import read_numbers

COFFEE = PHOTOS / "coffee.jpg"


def run(program: click.Command, *arguments: object) -> Result:
    return CliRunner().invoke(program, list(map(str, arguments)), catch_exceptions=False)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("program", "arguments", "message"),
    [
        (run_overhead.main, ("missing.onnx", COFFEE), "missing.onnx does not exist"),
        (run_overhead.main, ("default", "missing.jpg"), "missing.jpg does not exist"),
        (run_overhead.main, ("default", "0"), "no image in 0; give images"),
        (cpu.main, ("missing.pth", "-o", "x.json"), "missing.pth does not exist"),
        (cpu.main, ("missing.pth", "--size", "518", "-o", "x.json"), "size '518' found, expected HxW"),
        (cpu.main, ("missing.pth", "--size", "518xa", "-o", "x.json"), "'518xa' found, expected positive whole"),
        (cpu.main, ("missing.pth", "-o", "none/x.json"), "none does not exist; create it first"),
        (cost.main, ("missing.pth", "default", "--sides", "256", "-o", "x.json"), "missing.pth does not exist"),
        (cost.main, ("missing.pth", "missing.onnx", "-o", "x.json"), "missing.onnx "),
        (cost.main, ("missing.pth", "default", "--sides", "a", "-o", "x.json"), "'a' found, expected positive whole"),
        (cost.main, ("missing.pth", "default", "--sides", "250", "-o", "x.json"), "side 250 found, expected multiples"),
        (cost.main, ("missing.pth", "default", "-o", "none/x.json"), "none does not exist; create it first"),
        (cost.main, ("missing.pth", "default", "-o", "x.json", "--plot", "none/x.svg"), "none does not exist; create"),
        (self_check.main, ("default", "-o", "none/x.json"), "none does not exist; create it first"),
        (serving.main, ("-o", "none/x.json"), "none does not exist; create it first"),
        (serving.main, ("missing.jpg", "-o", "x.json"), "missing.jpg does not exist"),
        (serving.main, ("-m", "missing.onnx", "-o", "x.json"), "missing.onnx does not exist"),
        (serving.main, ("--sweep", "1,a", "-o", "x.json"), "'1,a' found, expected positive whole"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(program: click.Command, arguments: tuple[object, ...], message: str) -> None:
    found = run(program, *arguments)
    assert found.exit_code == 1 and not found.stdout
    assert found.stderr.startswith("error: ") and message in found.stderr
    assert len(found.stderr.splitlines()) == 1
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        (run_overhead.main, ("default", COFFEE, "--images", "0")),
        (self_check.main, ("default", "-o", "x", "--off", "-1")),
        (serving.main, ("-o", "x", "--clients", "0")),
    ],
)
def test_a_count_that_measures_nothing_is_wrong_usage(program: click.Command, arguments: tuple[object, ...]) -> None:
    found = run(program, *arguments)
    assert found.exit_code == 2 and "is not in the range" in found.stderr


def test_trying_a_place_leaves_nothing_and_what_stands_there() -> None:
    try_place("new.json")
    Path("old.json").write_text("old")
    try_place("old.json")
    assert [one.name for one in Path().iterdir()] == ["old.json"]
    assert Path("old.json").read_text() == "old"


@pytest.mark.parametrize(("path", "message"), [("none/x.json", "create it first"), (".", "is not a plain file")])
def test_a_place_that_takes_no_file_is_refused(path: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        try_place(path)


@pytest.mark.parametrize("text", ["", "1,", "1,-2", "0", "1.5", "²"])
def test_what_is_no_list_of_numbers_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected positive whole numbers such as 1,2"):
        read_numbers(text, ",", example="1,2")

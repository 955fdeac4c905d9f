"""`depthrt build`: options become BuildOptions, the result is printed, and what is wrong is one line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from made import make_contract
from made_engine import make_header, write_mean
from run_verb import run
from tiny_model import TinyModel

from depthrt import BuildError
from depthrt.engine.terms import OnStep
from depthrt.engine.trt.build import build as build_module
from depthrt.engine.trt.build.build import Built
from depthrt.engine.trt.build_options import BuildOptions

needs_rtx = pytest.mark.skipif(
    find_spec("tensorrt_rtx_bindings") is None, reason="tensorrt_rtx_bindings has no wheel for this platform"
)
DYNAMIC = make_contract()


@dataclass
class Call:
    """The arguments of the library call that a verb makes."""

    model: Path
    path: Path
    options: BuildOptions
    precision: str | None


@pytest.fixture
def mean(tmp_path: Path) -> Path:
    return write_mean(tmp_path / "mean.onnx")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """Calls of the library, which builds nothing and reports a short phase and a long one."""
    found: list[Call] = []

    def build_engine(
        model: Path, path: Path, *, options: BuildOptions, precision: str | None, on_step: OnStep
    ) -> Built:
        found.append(Call(model, path, options, precision))
        on_step("Cloning", 0, 4)
        on_step("Optimizing graph", 0, 12)
        return Built(path, make_header(), 1.5, 2.0, ("an old driver",))

    monkeypatch.setattr(build_module, "build_engine", build_engine)
    return found


def test_without_options_the_defaults_of_the_library_count(tmp_path: Path, calls: list[Call]) -> None:
    result = run("build", "a.onnx", "-o", tmp_path / "a.engine")
    assert result.exit_code == 0
    assert calls == [Call(Path("a.onnx"), tmp_path / "a.engine", BuildOptions(), None)]


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("--opt", "28x42"), BuildOptions(opt_px=(28, 42))),
        (
            ("--min", "14X28", "--max", "42x56", "--batch", "1, 2,4"),
            BuildOptions(min_px=(14, 28), max_px=(42, 56), batch=(1, 2, 4)),
        ),
        (("--batch", "4"), BuildOptions(batch=(4, 4, 4))),
        (
            ("--compute-capability", "8.9", "--compute-capability", "12.0"),
            BuildOptions(compute_capabilities=("8.9", "12.0")),
        ),
        (("--workspace", 512, "--tf32"), BuildOptions(workspace_mib=512, tf32=True)),
    ],
)
def test_each_option_reaches_the_library(
    arguments: tuple[object, ...], options: BuildOptions, tmp_path: Path, calls: list[Call]
) -> None:
    assert run("build", "a.onnx", "-o", tmp_path / "a.engine", *arguments).exit_code == 0
    assert [call.options for call in calls] == [options]


def test_the_precision_that_is_asked_for_reaches_the_library(tmp_path: Path, calls: list[Call]) -> None:
    assert run("build", "a.onnx", "-o", tmp_path / "a.engine", "--precision", "fp16-safe").exit_code == 0
    assert calls[0].precision == "fp16-safe"


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.usefixtures("calls")
def test_the_result_is_printed_and_long_phases_and_warnings_are_talk(as_json: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.engine"
    result = run("build", "a.onnx", "-o", path, *(["--json"] if as_json else []))
    assert result.stderr == "Optimizing graph ...\nwarning: an old driver\n"
    if as_json:
        assert json.loads(result.stdout)["path"] == str(path)
    else:
        assert result.stdout.startswith(f"{path}: depth-anything-v2-vits, fp32, 1.5 MiB in 2.0 s; ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.onnx",), "Missing option '-o' / '--output'."),
        (("-o", "a.engine"), "Missing argument 'MODEL'."),
        (("a.onnx", "-o", "a.engine", "--opt", "518"), "'518' found, expected HxW (height x width) such as 518x686"),
        (("a.onnx", "-o", "a.engine", "--max", "518x"), "'518x' found, expected HxW"),
        (("a.onnx", "-o", "a.engine", "--min", "1x2x3"), "'1x2x3' found, expected HxW"),
        (("a.onnx", "-o", "a.engine", "--batch", "1,2"), "'1,2' found, expected a number such as 4, or MIN,OPT,MAX"),
        (("a.onnx", "-o", "a.engine", "--batch", "-1"), "'-1' found, expected a number such as 4"),
        (("a.onnx", "-o", "a.engine", "--workspace", "much"), "'much' is not a valid integer."),
        (("a.onnx", "-o", "a.engine", "--precision", "int8"), "'int8' is not one of 'fp32', 'fp16', "),
    ],
)
def test_wrong_usage_is_refused_before_the_library_is_called(
    arguments: tuple[str, ...], message: str, calls: list[Call]
) -> None:
    result = run("build", *arguments)
    assert (result.exit_code, result.stdout, calls) == (2, "", [])
    assert message in result.stderr.splitlines()[-1]


def test_a_build_that_tensorrt_refuses_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise BuildError("TensorRT-RTX 1.7 refuses [a.onnx]: no memory")

    monkeypatch.setattr(build_module, "build_engine", refuse)
    result = run("build", "a.onnx", "-o", tmp_path / "a.engine")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: TensorRT-RTX 1.7 refuses [a.onnx]: no memory\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing.onnx", "nothing.onnx does not exist; give the .onnx file"),
        ("text.onnx", "not a whole ONNX file"),
        ("net.pth", "is a checkpoint; make a model file of it first: depthrt export "),
        ("net.engine", "is a TensorRT engine; give the .onnx file that it was built from"),
    ],
)
def test_what_is_no_model_file_is_one_line(name: str, message: str, tmp_path: Path) -> None:
    for other in ("text.onnx", "net.pth", "net.engine"):
        (tmp_path / other).write_text("text")
    result = run("build", tmp_path / name, "-o", tmp_path / "a.engine")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ") and message in result.stderr and result.stderr.count("\n") == 1
    assert not (tmp_path / "a.engine").exists()


def test_another_precision_than_the_file_s_names_the_export_that_makes_it(mean: Path, tmp_path: Path) -> None:
    result = run("build", mean, "-o", tmp_path / "a.engine", "--precision", "fp16")
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    assert "is fp32, precision fp16 was asked for" in result.stderr and "depthrt export made.pth" in result.stderr


def test_help_has_defaults_and_an_example() -> None:
    text = run("build", "--help").stdout
    assert "[default: 1]" in text and "[required]" in text
    assert "Example:\n    depthrt build model.onnx -o model.engine " in text


@needs_rtx
def test_the_verb_writes_an_engine_and_info_reads_it(mean: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.engine"
    result = run("build", mean, "-o", path, "--precision", "fp32")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{path}: depth-anything-v2-vits, fp32, ")
    assert "portable, compute capability 8.0 and later\n  image 1x3x28x28\n" in result.stdout
    found = json.loads(run("info", path, "--json").stdout)
    assert (found["file"], found["precision"], found["options"]["batch"]) == ("engine", "fp32", [1, 1, 1])
    again = run("build", mean, "-o", path, "--json")
    assert json.loads(again.stdout)["plan_sha256"] == found["plan_sha256"]


@needs_rtx
def test_the_verb_takes_sizes_and_batches(tmp_path: Path) -> None:
    dynamic = write_mean(tmp_path / "dynamic.onnx", DYNAMIC)
    sizes = ("--min", "14x28", "--opt", "28x28", "--max", "42x56", "--batch", "1,2,4")
    result = run("build", dynamic, "-o", tmp_path / "model.engine", *sizes)
    assert result.exit_code == 0, result.output
    assert "image 1x3x14x28 to 4x3x42x56, best 2x3x28x28" in result.stdout


@needs_rtx
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_ctrl_c_at_the_verb_leaves_nothing_and_exits_with_130(tiny_static: TinyModel, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "depthrt.cli", "build", str(tiny_static.onnx), "-o", str(tmp_path / "m.engine")]
    program = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert program.stderr is not None
    while "Cloning" not in program.stderr.readline():  # the build has begun
        assert program.poll() is None
    program.send_signal(signal.SIGINT)
    _, talk = program.communicate(timeout=120)
    assert (
        program.returncode == 130
        and "stopped by Ctrl-C; " in talk
        and "was not written" in talk
        and "Traceback" not in talk
    )
    assert list(tmp_path.iterdir()) == []

"""`depthrt info` and `depthrt doctor`: what a file is, what this machine can do, and what neither can read."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from made import CONTRACT
from made_bags import write_bag
from made_engine import write_engine, write_mean
from run_verb import run
from tiny_model import TinyModel

from depthrt.engine.model import doctor
from depthrt.engine.model.doctor import Finding
from depthrt.engine.modelfile.shipped import model_path
from depthrt.engine.system.escape import escaped


@pytest.fixture
def mean(tmp_path: Path) -> Path:
    return write_mean(tmp_path / "mean.onnx", CONTRACT)


def test_info_says_what_a_model_file_promises(tiny_metric: TinyModel) -> None:
    result = run("info", tiny_metric.onnx)
    assert "depth-anything-v2-vit64x4-metric-20m" in result.stdout and "metres, up to 20" in result.stdout
    found = json.loads(run("info", tiny_metric.onnx, "--json").stdout)
    assert (found["kind"], found["max_depth_m"], found["precision"]) == ("metric", 20.0, "fp32")


def test_info_says_what_a_checkpoint_is(tiny: TinyModel) -> None:
    result = run("info", tiny.checkpoint)
    assert result.exit_code == 0 and "vit64x4" in result.stdout
    found = json.loads(run("info", tiny.checkpoint, "--json").stdout)
    assert found["encoder"] == "vit64x4"


def test_info_says_what_is_in_a_bag(tmp_path: Path) -> None:
    shown = run("info", write_bag(tmp_path / "drive"))
    assert shown.exit_code == 0 and "12 on 4 topics" in shown.stdout and "  /front/image_raw " in shown.stdout
    assert json.loads(run("info", tmp_path / "drive", "--json").stdout)["messages"] == 12
    checked = run("info", "--check", tmp_path / "drive")
    assert checked.exit_code == 1 and "carries no hash of itself" in checked.stderr


def test_info_knows_the_model_that_comes_with_depthrt_by_its_name() -> None:
    found = run("info", "default")
    assert found.exit_code == 0 and found.stdout.startswith(f"{model_path('default').absolute()}\n")
    assert "depthrt-conv384x9" in found.stdout and "attention    none" in found.stdout


def test_check_verifies_the_shipped_model_and_asks_its_canary() -> None:
    found = run("info", "--check", "default")
    assert found.exit_code == 0 and found.stderr == ""
    assert "check sha256 right: of the file, its contract" in found.stdout and "check canary right: onn" in found.stdout
    plain = run("info", "default").stdout
    assert "check sha256" not in plain and "check canary" not in plain


@pytest.mark.parametrize("suffix", [".onnx", ".engine"])
def test_check_of_a_damaged_file_exits_with_1_and_the_reason(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"damaged{suffix}"
    (write_mean if suffix == ".onnx" else write_engine)(path)
    data = bytearray(path.read_bytes())
    data[20 if suffix == ".onnx" else -1] ^= 1
    path.write_bytes(data)
    assert run("info", path).exit_code == 0
    shown, found = run("info", "--check", path), run("info", "--check", path, "--json")
    assert shown.exit_code == found.exit_code == 1
    assert "check sha256 wrong: " in shown.stdout and shown.stderr == found.stderr
    assert shown.stderr.startswith(f"error: {path} ") and shown.stderr.count("\n") == 1
    checks = {check["what"]: check["outcome"] for check in json.loads(found.stdout)["checks"]}
    assert checks == {"sha256": "wrong", "canary": "not checked"}


def test_info_of_an_engine_imports_no_tensorrt(tmp_path: Path) -> None:
    engine = write_engine(tmp_path / "made.engine")
    code = (
        "import sys; from depthrt.cli import main\n"
        f"try: main(['info', {str(engine)!r}])\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if 'tensorrt' in name or name in ('numpy', 'torch')], file=sys.stderr)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "runs on      compute capability 8.9, 12.0" in found.stdout
    assert "input        image 1x3x28x28" in found.stdout
    assert "TensorRT-RTX 1.7.1.116" in found.stdout
    assert found.stderr.strip() == "[]"


@pytest.mark.parametrize("name", ["a [b].onnx", "a\x1b[31mb.onnx", "a\nb.onnx", "é ∂.onnx"])
def test_a_name_is_printed_in_one_line_and_in_json_as_one_string(mean: Path, name: str) -> None:
    try:
        path = mean.rename(mean.with_name(name))
    except OSError:
        pytest.skip("this system has no such names")
    shown, found = run("info", path), run("info", path, "--json")
    assert shown.exit_code == found.exit_code == 0
    assert shown.stdout.startswith(f"{escaped(path)}\n  model ")  # neither a colour nor a line break of a name
    assert found.stdout.count("\n") == 1 and json.loads(found.stdout)["path"] == str(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing.onnx", "nothing.onnx does not exist; give the .onnx file that `depthrt export` wrote"),
        ("nothing.engine", "nothing.engine cannot be read: No such file"),
        ("nothing.pth", "nothing.pth"),
        ("text.onnx", "text.onnx is not a whole ONNX file"),
        ("text.engine", "text.engine"),
        ("text.pth", "text.pth"),
        ("photo.jpg", "photo.jpg"),
        ("folder", "folder"),
        ("a [b].onnx", "a [b].onnx is not a whole ONNX file"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_what_cannot_be_read_is_one_line_that_names_the_file(
    name: str, message: str, more: tuple[str, ...], tmp_path: Path
) -> None:
    for text in ("text.onnx", "text.engine", "text.pth", "photo.jpg", "a [b].onnx"):
        (tmp_path / text).write_text("text")
    (tmp_path / "folder").mkdir()
    result = run("info", tmp_path / name, *more)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert f"{tmp_path / message}" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument 'FILE'."),
        (("a.onnx", "b.onnx"), "Got unexpected extra argument (b.onnx)"),
        (("a.onnx", "--jsn"), "No such option '--jsn'"),
    ],
)
def test_wrong_usage_names_what_is_wrong(arguments: tuple[str, ...], message: str) -> None:
    result = run("info", *arguments)
    assert (result.exit_code, result.stdout) == (2, "") and message in result.stderr.splitlines()[-1]


def test_without_torch_a_checkpoint_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "depthrt.export.checkpoint.checkpoint"
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    result = run("info", tmp_path / "a.pth")
    assert result.exit_code == 1 and result.stderr.endswith("; install it with: pip install 'depthrt[export]'\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows reports a closed pipe as another error")
def test_a_pipe_that_nobody_reads_ends_it_quietly(mean: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "depthrt.cli", "info", str(mean)]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such shell")
def test_a_closed_standard_output_is_no_crash(mean: Path) -> None:
    command = shlex.join([sys.executable, "-m", "depthrt.cli", "info", str(mean)])
    done = subprocess.run(["sh", "-c", f"{command} >&-"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_standard_output_that_takes_nothing_is_one_line(mean: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "depthrt.cli", "info", str(mean)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    talk = "error: standard output cannot be written: No space left on device; free the disk\n"
    assert (done.returncode, done.stderr) == (1, talk)


def test_doctor_tries_each_provider() -> None:
    findings = {finding["name"]: finding for finding in json.loads(run("doctor", "--json").stdout)}
    assert findings["onnxruntime CPU"]["works"] is True
    assert {"machine", "openvino CPU", "CUDA driver", "pycuda", "TensorRT", "depthrt export"} <= findings.keys()
    cuda = findings["onnxruntime CUDA"]
    assert cuda["works"] or (cuda["detail"] and cuda["remedy"])
    assert all(finding["works"] or finding["remedy"] for finding in findings.values())


def test_doctor_prints_what_was_found_and_succeeds_whatever_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [Finding("pycuda", False, "not installed", "pip install it")])
    shown = run("doctor")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout.split("\n")[0].split() == ["no", "pycuda", "not", "installed"]
    assert json.loads(run("doctor", "--json").stdout)[0]["remedy"] == "pip install it"


@pytest.mark.parametrize("verb", ["info", "doctor"])
def test_help_ends_with_an_example(verb: str) -> None:
    text = run(verb, "--help").stdout
    assert f"Example:\n    depthrt {verb}" in text and "--json" in text

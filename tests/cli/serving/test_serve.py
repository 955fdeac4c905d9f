"""What `depthrt serve` refuses before it loads a model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from run_verb import run

from depthrt.cli.serving.serve import NamedModelType, ScaleType


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mirror=a.onnx", ("mirror", "a.onnx")),
        ("a.onnx", ("a", "a.onnx")),
        ("models/My Model (2).onnx", ("my-model-2", "models/My Model (2).onnx")),
        ("default", ("default", "default")),
        ("odd/a=b.onnx", ("a-b", "odd/a=b.onnx")),
    ],
)
def test_a_model_has_a_name(text: str, found: tuple[str, str]) -> None:
    assert NamedModelType().convert(text, None, None) == found


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--model", "a=x.onnx", "--model", "a=y.onnx"), 1, "two models have one name"),
        (("--model", "a=missing.onnx"), 1, "missing.onnx does not exist"),
        (("--host", "192.0.2.1"), 1, "192.0.2.1 port"),
        (("--port", "70000"), 2, "70000"),
        (("--model", "???.onnx"), 1, "found as the name of a model"),
        (("--api-key-file", "missing.txt"), 1, "cannot be read as an API key"),
        (("--replicas", "2"), 2, "give --ray too"),
        (("--ray", "--replicas", "0"), 2, "expected a number such as 2, or a range such as 1:4"),
        (("--ray", "--replicas", "1:2:3"), 2, "expected a number such as 2, or a range such as 1:4"),
        (("--ray", "--replicas", "3:2"), 1, "expected 1 <= MIN <= MAX"),
    ],
)
def test_wrong_options_are_one_line(options: tuple[str, ...], code: int, message: str) -> None:
    result = run("serve", "--port", 0, *options)
    assert result.exit_code == code and message in result.stderr


def test_a_short_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("short\n")
    assert "expected 16 ASCII characters" in run("serve", "--port", 0, "--api-key-file", tmp_path / "key").stderr
    monkeypatch.setenv("DEPTHRT_API_KEY", "short")
    assert "expected 16 ASCII characters" in run("serve", "--port", 0).stderr


@pytest.mark.parametrize(("text", "found"), [("2", (2, 2)), ("1:4", (1, 4))])
def test_a_number_of_replicas_is_a_range(text: str, found: tuple[int, int]) -> None:
    assert ScaleType().convert(text, None, None) == found


def test_without_ray_it_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "depthrt.serve.replicas.ray_replicas", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    result = run("serve", "--port", 0, "--ray")
    assert result.exit_code == 1 and "pip install 'depthrt[ray]'" in result.stderr


def test_without_its_extra_it_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("depthrt.serve")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = run("serve", "--port", 0)
    assert result.exit_code == 1 and "pip install 'depthrt[serve]'" in result.stderr

"""`depthrt` itself: its help, its version, its verbs, and how any of them refuses wrong usage."""

from __future__ import annotations

import subprocess
import sys

import pytest
from run_verb import run

from depthrt import __version__
from depthrt.cli import main

VERBS = (
    "models fetch export adopt build run bag bridge serve info tune bench finetune doctor".split()  # noqa: SIM905
)


def test_help_names_every_verb_in_the_order_of_the_work_and_has_an_example() -> None:
    text = run("--help").stdout
    lines = text[text.index("Commands:") :].splitlines()[1:]
    assert [line.split()[0] for line in lines] == VERBS == list(main.commands)
    assert "Example" in text and "depthrt run photos/ --model model.onnx" in text
    assert run("-h").stdout == text


def test_help_fits_into_80_columns_and_cuts_no_line_off() -> None:
    text = run("--help").stdout
    assert all(len(line) <= 80 for line in text.splitlines())
    assert all(not line.endswith("...") for line in text[text.index("Commands:") :].splitlines())


def test_the_version_is_that_of_the_package() -> None:
    assert run("--version").stdout == f"depthrt, version {__version__}\n"


@pytest.mark.parametrize("module", ["depthrt", "depthrt.cli"])
def test_the_module_is_the_program(module: str) -> None:
    found = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "") and found.stdout.endswith(f" version {__version__}\n")


@pytest.mark.parametrize("verb", ["", "run", "bench measure", "finetune scenes"])
def test_help_keeps_its_sentences_without_docstrings(verb: str) -> None:
    command = [sys.executable, "-OO", "-m", "depthrt", *verb.split(), "--help"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    expected = run(*verb.split(), "--help").stdout
    assert found.stdout.split()[2:] == ["-m", "depthrt", *expected.split()[2:]]


def test_wrong_usage_shows_no_control_characters() -> None:
    for arguments in (("\x1b[31mverb",), ("run", "x", "--\x1b[31m"), ("export", "x", "-o", "y", "--size", "\x1b[31m")):
        found = run(*arguments)
        assert found.exit_code == 2 and r"\x1b[31m" in found.stderr and "\x1b" not in found.stderr


def test_help_imports_no_torch_no_onnx_and_no_runner() -> None:
    heavy = ("torch", "onnx", "onnxruntime", "openvino", "transformers", "rich")
    code = (
        "import sys; from depthrt.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr.strip() == "[]" and "Commands:" in found.stdout


@pytest.mark.parametrize("verb", ["export", "run", "info", "tune", "doctor", "finetune scenes"])
def test_every_help_ends_with_an_example(verb: str) -> None:
    text = run(*verb.split(), "--help").stdout
    assert "Example:" in text and f"depthrt {verb}" in text


@pytest.mark.parametrize(
    "arguments",
    [("run",), ("export", "x.pth"), ("export", "x", "-o", "y.onnx", "--size", "big"), ("nonsense",)],
)
def test_wrong_usage_exits_with_two(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2

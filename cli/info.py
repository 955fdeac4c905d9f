"""`depthrt info` and `depthrt doctor`: what a file or a bag is, and which runners work on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..engine.errors import ModelFileError
from ..exits import needs, one_line_errors
from ..robots.reading.names import is_bag
from .params import ModelType
from .show.engine import show_plan
from .show.file import show_checkpoint, show_model
from .show.findings import show_findings
from .show.robots.bag_facts import show_bag

if TYPE_CHECKING:
    from ..engine.model.file_check import FileCheck


@click.command()
@click.argument("file", type=ModelType())
@click.option("--check", is_flag=True, help="Verify the hashes that FILE carries, and ask its canary.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@one_line_errors
def info(file: Path, check: bool, as_json: bool) -> None:
    """Print what FILE is: a model file's contract and tuning, an engine's header, what a checkpoint shows, or a bag.

    Of a robot's bag it prints topics, counts and times; of one that depthrt wrote also the model's contract and drift.

    With --check the exit code is 1 if the file, or the weights beside it, are not as they were written.

    \b
    Example:
      depthrt info model.onnx
      depthrt info --check model.engine
      depthrt info drive-depth/
    """
    checks = _check(file) if check else ()
    if file.suffix == ".onnx":
        from ..engine.model.describe import describe_model

        show_model(describe_model(file), checks, as_json=as_json)
    elif is_bag(file):
        with needs("robots"):
            from ..robots.describe import describe_bag
        show_bag(describe_bag(file), as_json=as_json)
    elif file.suffix == ".engine":
        from ..engine.trt.plan_file import read_plan_header

        show_plan(read_plan_header(file), file, checks, as_json=as_json)
    else:
        with needs("export"):
            from ..export.checkpoint.checkpoint import describe_checkpoint
        show_checkpoint(describe_checkpoint(file), as_json=as_json)
    wrong = next((found for found in checks if found.outcome == "wrong"), None)
    if wrong is not None:
        raise ModelFileError(wrong.detail)


def _check(file: Path) -> tuple[FileCheck, ...]:
    from ..engine.model.file_check import check_file

    return check_file(file)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@one_line_errors
def doctor(as_json: bool) -> None:
    """Try every runner on this machine; print which work, and why the others fail.

    \b
    Example:
      depthrt doctor
    """
    from ..engine.model.doctor import examine

    show_findings(examine(), as_json=as_json)

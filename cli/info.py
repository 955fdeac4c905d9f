"""`depthrt info` and `depthrt doctor`: what a file is, and which runners work on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from ..exits import needs, one_line_errors
from .params import ModelType
from .show.engine import show_plan
from .show.file import show_checkpoint, show_model
from .show.findings import show_findings


@click.command()
@click.argument("file", type=ModelType())
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@one_line_errors
def info(file: Path, as_json: bool) -> None:
    """Print what FILE is: a model file's contract and tuning, an engine's header, or what a checkpoint shows.

    \b
    Example:
      depthrt info model.onnx
    """
    if file.suffix == ".onnx":
        from ..engine.model.describe import describe_model

        show_model(describe_model(file), as_json=as_json)
    elif file.suffix == ".engine":
        from ..engine.trt.plan_file import read_plan_header

        show_plan(read_plan_header(file), file, as_json=as_json)
    else:
        with needs("export"):
            from ..export.checkpoint.checkpoint import describe_checkpoint
        show_checkpoint(describe_checkpoint(file), as_json=as_json)


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

"""`depthrt info` and `depthrt doctor`: what a file is, and what this machine can do."""

from __future__ import annotations

from pathlib import Path

import click

from . import show
from .exits import needs, one_line_errors


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@one_line_errors
def info(file: Path, as_json: bool) -> None:
    """Say what FILE is: the contract of a model file, or what a checkpoint holds.

    \b
    Example:
      depthrt info model.onnx
    """
    from ..engine.contract import read_contract

    if file.suffix == ".onnx":
        show.show_contract(read_contract(file), file, as_json=as_json)
        return
    with needs("export"):
        from ..export.checkpoint import describe_checkpoint
    show.show_checkpoint(describe_checkpoint(file), as_json=as_json)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@one_line_errors
def doctor(as_json: bool) -> None:
    """Try every runner on this machine and say why those that fail do.

    \b
    Example:
      depthrt doctor
    """
    from ..engine.doctor import examine

    show.show_findings(examine(), as_json=as_json)

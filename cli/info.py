"""`depthrt info` and `depthrt doctor`: what a file is, and what this machine can do."""

from __future__ import annotations

from pathlib import Path

import click

from ..exits import needs, one_line_errors
from .params import ModelType
from .show.file import show_checkpoint, show_contract
from .show.findings import show_findings


@click.command()
@click.argument("file", type=ModelType())
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@one_line_errors
def info(file: Path, as_json: bool) -> None:
    """Say what FILE is: a model file's contract and how it was tuned here, an engine's header, or a checkpoint.

    \b
    Example:
      depthrt info model.onnx
    """
    if file.suffix == ".onnx":
        from ..engine.modelfile.contract import read_contract
        from ..engine.runners.tuning import recall_tunings
        from ..engine.system.cores import usable_cores

        contract, cores = read_contract(file), usable_cores()
        tunings = recall_tunings(file, contract, cores)
        show_contract(contract, file, tunings=tunings, cores=cores, as_json=as_json)
        return
    if file.suffix == ".engine":
        from ..engine.trt.plan_file import read_plan_header
        from .show.engine import show_plan

        show_plan(read_plan_header(file), file, as_json=as_json)
        return
    with needs("export"):
        from ..export.checkpoint.checkpoint import describe_checkpoint
    show_checkpoint(describe_checkpoint(file), as_json=as_json)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@one_line_errors
def doctor(as_json: bool) -> None:
    """Try every runner on this machine and say why those that fail do.

    \b
    Example:
      depthrt doctor
    """
    from ..engine.model.doctor import examine

    show_findings(examine(), as_json=as_json)

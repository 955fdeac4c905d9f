"""`depthrt finetune evaluate`: whether models keep flat things flat, windows deep and the rest as it was."""

from __future__ import annotations

import shlex
import sys
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic
from typing import Any

import click

from ...bench.datasets.manifest import SPLITS
from ...engine.terms import HARDWARE_DEVICES
from ...exits import names_unwritten, needs, one_line_errors
from ..params import NameType, PathType, depth_units, max_pixels, of_accuracy, of_checkpoints
from ..show.finetuning.evaluation import show_evaluation
from ..show.progress import titled


@click.command()
@click.argument("models", type=NameType(), nargs=-1, required=True, metavar="MODEL...")
@click.option(
    "--data",
    type=NameType(),
    required=True,
    metavar="DATASET",
    help="Manifest with masks of mirror, art, window and sky, or the folder that holds it. A data set without masks "
    "is judged by whole images.",
)
@click.option(
    "-o",
    "--output",
    type=PathType(),
    default=Path("report"),
    show_default=True,
    help="Folder for report.html and report.json.",
)
@click.option("--against", type=NameType(), metavar="MODEL", help="The starting network: measure changes and drift.")
@click.option(
    "--require",
    "requirements",
    multiple=True,
    metavar="REQUIREMENT",
    help='Such as "flat_residual<-60%", "flat_residual<0.05", "window.abs_rel<+2%", "drift<2%"; may be given several '
    "times. The exit code is 1 if one fails.",
)
@click.option("--baselines", is_flag=True, help="Judge a constant and a vertical gradient too.")
@click.option("--split", type=click.Choice(SPLITS), help="Of a manifest. Default: all images.")
@click.option("--count", type=click.IntRange(1), help="Images taken, evenly spread. Default: all.")
@of_accuracy
@depth_units
@click.option("--device", type=click.Choice(HARDWARE_DEVICES), default="cpu", show_default=True)
@click.option("--threads", type=click.IntRange(1), help="CPU threads. Default: the cores that this process may use.")
@of_checkpoints
@max_pixels
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the 95 % intervals.")
@click.option("--examples/--no-examples", default=True, show_default=True, help="Show good and bad examples.")
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of the tables.")
@one_line_errors
def evaluate(
    output: Path,
    requirements: tuple[str, ...],
    max_pixels: int,
    as_json: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Judge each MODEL on images whose mirrors, art and windows are known.

    MODEL is whatever `depthrt bench` measures: a checkpoint, .onnx, .engine or default. Inside mirrors and art
    depth must be a plane, windows must stay deep, and all else must stay as the starting network has it.

    A requirement is about flat_residual, plane_error, step_error, picture_leak, window_depth, drift or one of the nine
    metrics, such as abs_rel; with mirror. art. window. clean. or clean_images. before it, about that part. A limit
    with a sign is a change against the starting network, a limit without a sign is the model's own value.

    \b
    Example:
      depthrt finetune evaluate trained.safetensors --data rooms/ --against start.safetensors -o report/
      depthrt finetune evaluate model.onnx --data rooms/manifest.jsonl --split test --require "flat_residual<0.05"
    """
    with needs("bench"):
        from ...bench.compare.requirements import check_requirements, parse_requirements
        from ...bench.machine.describe import describe_machine, describe_run
        from ...bench.numbers.evaluation import EvaluationReport
        from ...bench.report.evaluation_page import prepare_evaluation, write_evaluation_report
        from ...engine.images.limits import Limits
        from ...finetune.evaluation.evaluate import evaluate as judge
        from ...finetune.evaluation.request import EvaluateRequest
    request = EvaluateRequest(**options, limits=Limits(max_pixels=max_pixels))
    wanted = parse_requirements(requirements, against=request.against is not None)
    started, start_s, machine = datetime.now(timezone.utc), monotonic(), describe_machine()
    prepare_evaluation(output)
    with names_unwritten(f"no report was written into {output}"), titled() as on_step:
        found = judge(request, on_step=on_step)
    command = shlex.join(["depthrt", *sys.argv[1:]])
    made = describe_run(command, request.settings(), started=started, took_s=monotonic() - start_s)
    report = EvaluationReport(machine, made, found.evaluation, check_requirements(wanted, found.evaluation))
    files = write_evaluation_report(output, report, found.pictures)
    show_evaluation(report, files, as_json=as_json)
    failed = any(one.state == "failed" for one in report.requirements)
    sys.exit(1 if failed or any(model.failure for model in found.evaluation.models) else 0)

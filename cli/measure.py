"""`depthrt bench measure`: the speed, memory, drift and accuracy of models, as one report."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..bench.run.request import QUICK
from ..bench.subjects.checkpoint_options import TORCH_PRECISIONS
from ..engine.terms import (
    CPU_RUNNERS,
    HARDWARE_DEVICES,
    TIMED_SCOPES,
)
from ..exits import names_unwritten, needs, one_line_errors
from .catalog.adopted_models import adopted_models
from .finetuning.probes import asked_for_probes, probes_option, run_probes
from .params import (
    NameType,
    PathType,
    RoundsType,
    ShareType,
    depth_units,
    max_pixels,
    of_accuracy,
    of_checkpoints,
    old_names,
)
from .show.bench import show_report
from .show.progress import titled


def _take_quick(context: click.Context, option: click.Parameter, quick: bool) -> None:
    """Change the defaults of the other options; an option that is given beside --quick keeps its value."""
    if quick:
        context.default_map = {**(context.default_map or {}), **QUICK}


@click.command(context_settings=old_names(out="output"))
@click.argument("models", type=NameType(), nargs=-1, required=True, metavar="MODEL...")
@click.option(
    "--reference",
    type=PathType(),
    help="File that drift is measured against. Default: the first MODEL that is a checkpoint, run by torch in float32.",
)
@click.option(
    "--images",
    type=NameType(),
    multiple=True,
    metavar="INPUT",
    help="Images, folders or patterns; may be given several times. Default: a photograph that comes with depthrt.",
)
@click.option(
    "--ground-truth",
    type=NameType(),
    multiple=True,
    metavar="DATASET",
    help="Folder, manifest or list of image and depth pairs, Hypersim, Virtual KITTI 2, KITTI, NYU's .mat, or "
    "stereo_motorcycle. Masks such as a_depth_mask.npy beside a_depth.npy count.",
)
@depth_units
@max_pixels
@click.option(
    "-o",
    "--output",
    type=PathType(),
    default=Path("report"),
    show_default=True,
    help="Folder for report.html, report.json and report.md.",
)
@click.option(
    "--device",
    "devices",
    type=click.Choice(HARDWARE_DEVICES),
    multiple=True,
    help="May be given several times. Default: each that works here.",
)
@click.option(
    "--runner",
    "runners",
    type=click.Choice(CPU_RUNNERS),
    multiple=True,
    help="Runs model files on the CPU; may be given several times. Default: each that works here, in each of its "
    "precisions.",
)
@click.option("--threads", type=click.IntRange(1), help="CPU threads. Default: the cores that this process may use.")
@click.option(
    "--rounds",
    type=RoundsType(),
    metavar="auto|N",
    default="auto",
    show_default=True,
    help="Turns of each subject, three calls each. auto: 30, and up to 120 until each speed against the reference is "
    "known to 2 %, so that a slow-down of 10 % shows on a machine of varying speed.",
)
@click.option(
    "--quick",
    is_flag=True,
    is_eager=True,  # before the options whose defaults it changes
    expose_value=False,
    callback=_take_quick,
    help=f"For a first look: {QUICK['rounds']} rounds, one burst of frames, one cold start, no throughput, no energy. "
    "Other options override it.",
)
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(TIMED_SCOPES),
    multiple=True,
    default=TIMED_SCOPES,
    show_default=True,
    help="What is timed: the network, image array to depth array, image file to depth file.",
)
@click.option(
    "--rate",
    "rate_hz",
    type=click.FloatRange(0),
    metavar="HZ",
    default=30.0,
    show_default=True,
    help="Frames a second of the rate-driven scope; 0 leaves it out.",
)
@click.option(
    "--bursts",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Bursts of 90 frames, for each subject.",
)
@click.option("--cold", type=click.IntRange(0), default=3, show_default=True, help="Fresh processes of the cold start.")
@click.option(
    "--builds",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Times each model is loaded to measure the spread between loads.",
)
@click.option("--throughput/--no-throughput", default=True, show_default=True, help="Measure batches and streams.")
@click.option("--energy/--no-energy", default=True, show_default=True, help="Measure energy, if a counter exists.")
@click.option(
    "--compile/--no-compile",
    "compiled",
    default=True,
    show_default=True,
    help="Measure torch.compile of checkpoints too.",
)
@click.option(
    "--study",
    is_flag=True,
    help="Measure checkpoints as the study serves them too: weights read for every request.",
)
@click.option(
    "--torch-precision",
    "precisions",
    type=click.Choice(TORCH_PRECISIONS),
    multiple=True,
    default=["fp32"],
    show_default=True,
    help="Of checkpoints in torch; may be given several times.",
)
@click.option("--video", is_flag=True, help="The images are frames, frame_10 after frame_9: measure flicker too.")
@click.option("--count", type=click.IntRange(1), help="Images taken of each ground truth, evenly spread. Default: all.")
@of_accuracy
@of_checkpoints
@click.option(
    "--drift-budget",
    type=ShareType(bare=True, below=float("inf")),
    default="1%",
    show_default=True,
    metavar="PERCENT",
    help="Largest drift of the subject that the headline may recommend.",
)
@probes_option
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of the table.")
@one_line_errors
def measure(as_json: bool, **options: Any) -> None:  # noqa: ANN401 (each is a field of BenchRequest; a test holds that)
    """Measure each MODEL, all in turns in one run, and write a report.

    MODEL is a model file, measured with each runner and device that works here, or a checkpoint, run by torch
    eager and compiled. An ONNX file of others is adopted for the time of the run, as `depthrt adopt` does; --family,
    --kind, --max-depth and --size say of it what it does not say itself. Times are of the network (kernel), image
    array to depth array (host), image file to depth file (file), and of frames that arrive at a fixed rate.

    \b
    Example:
      depthrt bench model.onnx depth_anything_v2_vits.pth --images photos/ --ground-truth nyu.mat -o report/
      depthrt bench theirs/onnx/model.onnx ours.onnx -o report/
      depthrt bench default model.onnx --probes -o report/
    """
    with needs("bench"):
        from ..bench.bench import bench
        from ..bench.run.request import BenchRequest
    given = BenchRequest(**options, command=shlex.join(["depthrt", *sys.argv[1:]]))
    said = {name: options[name] for name in ("family", "kind", "max_depth_m", "size")}
    files = [*given.models, *([] if given.reference is None else [given.reference])]
    with adopted_models(files, **said) as ours:
        models = tuple(ours.get(str(model), model) for model in given.models)
        request = replace(given, models=models, reference=ours.get(str(given.reference), given.reference))
        if asked_for_probes():
            run_probes(request, as_json=as_json)
        with names_unwritten(f"no report was written into {request.output}"), titled() as on_step:
            result = bench(request, on_step=on_step)
        show_report(result, drift_budget=request.drift_budget, as_json=as_json)
    sys.exit(1 if any(subject.failure for subject in result.report.subjects) else 0)

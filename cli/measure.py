"""`depthrt bench measure`: what models cost, how far they drift and how true they are, as one report."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..engine.errors import InputError
from ..engine.modelfile.shipped import DEFAULT
from ..engine.system.files import check_reachable
from ..exits import needs, one_line_errors
from .params import RoundsType, SizeType, find_images
from .show.bench import show_report
from .show.progress import titled

if TYPE_CHECKING:
    from ..bench.accuracy.accuracy_meter import Crop
    from ..bench.accuracy.alignment import Alignment
    from ..bench.subjects.find_subjects import SubjectDevice
    from ..bench.subjects.torch_runner import TorchPrecision
    from ..engine.terms import CpuRunner, Family, Kind

ALIGNMENTS = ("none", "scale", "scale-and-shift", "log")
CROPS = ("none", "eigen", "garg")
SCOPES = ("kernel", "host", "file")
RUNNERS = ("onnxruntime", "openvino")
QUICK_ROUNDS = 8
QUICK_DEFAULTS = {"rounds": str(QUICK_ROUNDS), "throughput": False, "energy": False, "cold": 1}


def _take_quick(context: click.Context, option: click.Parameter, quick: bool) -> bool:
    """Change the defaults of the other options, so that what is given beside --quick holds."""
    if quick:
        context.default_map = {**(context.default_map or {}), **QUICK_DEFAULTS}
    return quick


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    help="File that drift is measured against. Default: a MODEL that is a checkpoint, run by torch in float32.",
)
@click.option(
    "--images",
    multiple=True,
    metavar="INPUT",
    help="Images, folders or patterns; may be given several times. Default: a photograph that comes with depthrt.",
)
@click.option(
    "--ground-truth",
    multiple=True,
    metavar="DATASET",
    help="Folder of image and depth pairs, Hypersim, Virtual KITTI 2, NYU's .mat, or stereo_motorcycle.",
)
@click.option(
    "--depth-units",
    "units_per_m",
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    default=1000.0,
    show_default=True,
    help="Units a metre of depth files that hold whole numbers and say no unit; KITTI's have 256.",
)
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("report"),
    show_default=True,
    help="Folder for report.html, report.json and report.md.",
)
@click.option(
    "--device", "devices", type=click.Choice(["cpu", "cuda"]), multiple=True, help="Default: each that works here."
)
@click.option(
    "--runner",
    "runners",
    type=click.Choice(RUNNERS),
    multiple=True,
    help="What runs model files on the CPU. Default: each that works here, in each precision that it computes in.",
)
@click.option("--threads", type=click.IntRange(1), help="CPU threads. Default: the cores this process may use.")
@click.option(
    "--rounds",
    type=RoundsType(),
    metavar="auto|N",
    default="auto",
    show_default=True,
    help="Turns of each subject, three calls each. auto: 30, and up to 120 until each speed against the reference is "
    "known to 2 %, so that a slow-down of 10 % shows on a machine that wanders.",
)
@click.option(
    "--quick",
    is_flag=True,
    is_eager=True,  # before the options whose defaults it changes
    callback=_take_quick,
    help=f"{QUICK_ROUNDS} rounds, no throughput, no energy, one cold start, where nothing else is said: "
    "for a first look.",
)
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, default=SCOPES, show_default=True)
@click.option(
    "--rate",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    help="Frames a second of the rate-driven mode; 0 leaves it out.",
)
@click.option("--cold", type=click.IntRange(0), default=3, show_default=True, help="Fresh processes of the cold start.")
@click.option(
    "--builds",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Times each model is loaded anew, for the spread.",
)
@click.option("--throughput/--no-throughput", default=True, show_default=True)
@click.option("--energy/--no-energy", default=True, show_default=True)
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
    help="Measure the study's serving of checkpoints too: weights read again for every request.",
)
@click.option(
    "--torch-precision",
    "precisions",
    type=click.Choice(["fp32", "bf16"]),
    multiple=True,
    default=["fp32"],
    show_default=True,
)
@click.option("--video", is_flag=True, help="The images are frames, frame_10 after frame_9: measure flicker too.")
@click.option("--count", type=click.IntRange(1), help="Take so many images of each ground truth, evenly spread.")
@click.option(
    "--align",
    "alignment",
    type=click.Choice(ALIGNMENTS),
    help="Default: none for metres against metres, else scale-and-shift.",
)
@click.option(
    "--cap",
    type=click.FloatRange(0, min_open=True),
    metavar="M",
    help="Judge no depth beyond. Default: the data set's custom.",
)
@click.option("--crop", type=click.Choice(CROPS), default="none", show_default=True)
@click.option(
    "--family", type=click.Choice(["depth-anything-v1", "depth-anything-v2"]), help="Of checkpoints; as in export."
)
@click.option("--kind", type=click.Choice(["inverse", "metric"]), help="Of checkpoints; as in export.")
@click.option("--max-depth", type=float, metavar="M", help="Of checkpoints; as in export.")
@click.option(
    "--size", type=SizeType(), metavar="N|HxW", default="518", show_default=True, help="Of checkpoints; as in export."
)
@click.option(
    "--drift-budget",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    metavar="PERCENT",
    help="Largest drift of what the headline may name as the one to take.",
)
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of the table.")
@one_line_errors
def measure(
    models: tuple[str, ...],
    reference: Path | None,
    images: tuple[str, ...],
    ground_truth: tuple[str, ...],
    units_per_m: float,
    folder: Path,
    devices: tuple[SubjectDevice, ...],
    runners: tuple[CpuRunner, ...],
    threads: int | None,
    rounds: int | None,
    quick: bool,
    scopes: tuple[str, ...],
    rate: float,
    cold: int,
    builds: int,
    throughput: bool,
    energy: bool,
    compiled: bool,
    study: bool,
    precisions: tuple[TorchPrecision, ...],
    video: bool,
    count: int | None,
    alignment: Alignment | None,
    cap: float | None,
    crop: Crop,
    family: Family | None,
    kind: Kind | None,
    max_depth: float | None,
    size: int | tuple[int, int],
    drift_budget: float,
    as_json: bool,
) -> None:
    """Measure each MODEL, all in turns in one run, and write a report.

    MODEL is a model file, measured with each runner and device that works here, or a checkpoint, run by torch
    eager and compiled. Times are of the network alone (kernel), image array to depth array (host), image file
    to depth file (file), and of frames that arrive at a fixed rate.

    \b
    Example:
      depthrt bench model.onnx depth_anything_v2_vits.pth --images photos/ --ground-truth nyu.mat --out report/
    """
    with needs("bench"):
        import jinja2  # noqa: F401 - before minutes of measuring, not after

        from ..bench.accuracy.ground_truth import open_ground_truths
        from ..bench.accuracy.judge import Asked
        from ..bench.latency.narrowing import Narrowing
        from ..bench.latency.rate import RatePlan
        from ..bench.latency.throughput import LOADS
        from ..bench.latency.turns import Plan
        from ..bench.report.page import make_place, write_report
        from ..bench.run.plan import BenchPlan, describe_settings
        from ..bench.run.run_bench import choose_reference, run_bench
        from ..bench.subjects.checkpoint_options import CheckpointOptions
        from ..bench.subjects.find_subjects import find_subjects

    files = [*models, str(reference)] if reference is not None and reference not in map(Path, models) else [*models]
    for file in files:
        check_reachable(file)
        if file != DEFAULT and not Path(file).exists():
            verb = ", and is no verb of bench" if file == models[0] else ""
            raise InputError(f"{file} does not exist{verb}; give model files or checkpoints")
    checkpoint = CheckpointOptions(size=size, family=family, kind=kind, max_depth_m=max_depth)
    subjects = find_subjects(
        files,
        devices=devices or None,
        runners=runners or None,
        threads=threads,
        checkpoint=checkpoint,
        precisions=precisions,
        compiled=compiled,
        study=study,
    )
    datasets = open_ground_truths(ground_truth, units_per_m=units_per_m)
    plan = BenchPlan(
        latency=Plan(rounds=rounds or Plan().rounds, scopes=tuple(scopes)),
        narrowing=Narrowing() if rounds is None else None,
        rate=RatePlan(rate_hz=rate, bursts=1 if quick else RatePlan().bursts) if rate else None,
        loads=LOADS if throughput else (),
        processes=cold,
        builds=builds,
        energy=energy,
        video=video,
        asked=Asked(alignment, cap, crop),
    )
    paths, named = find_images(images), choose_reference(subjects, reference)
    make_place(folder)
    with titled() as on_step:
        measured = run_bench(
            subjects,
            paths,
            plan,
            reference=named,
            ground_truth=[one.spread(count) for one in datasets] if count else datasets,
            command=shlex.join(["depthrt", *sys.argv[1:]]),
            settings=describe_settings(plan, datasets, count=count, units_per_m=units_per_m),
            on_step=on_step,
        )
    written = write_report(folder, measured.report, measured.pictures, drift_budget=drift_budget / 100)
    show_report(measured.report, written, drift_budget=drift_budget / 100, as_json=as_json)
    failed = [one for one in measured.report.subjects if one.failure]
    sys.exit(1 if failed else 0)

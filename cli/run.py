"""`depthrt run`: images and videos become depth."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ..engine.errors import InputError
from ..engine.terms import COLORMAPS, DEVICES, FORMATS, Colormap, Device, Format
from ..exits import one_line_errors
from .params import NameType, PathType, model_option
from .show.run_report import RunReport


@click.command()
@click.argument("inputs", type=NameType(), nargs=-1, required=True, metavar="INPUT...")
@model_option
@click.option(
    "-o",
    "--output",
    type=PathType(),
    default=Path("depth"),
    show_default=True,
    help="Folder that mirrors the inputs' names; or a file, for a single image or video (.mp4); "
    "or - for a single image on standard output.",
)
@click.option(
    "-f",
    "--format",
    "formats",
    type=click.Choice(FORMATS),
    multiple=True,
    help="May be given several times. color and side are pictures, the others hold the values. png16: whole "
    "millimetres up to 65.535 m, 0 where there is no value; depth without a unit is scaled (to --range), and the "
    "scale stands in the file. npz: the arrays values, valid, kind, unit, max_depth_m, provenance. ply, pcd: the "
    "points in space of a metric model, with --fov or --focal-px. Default: color, or the format of a named file's "
    "suffix.",
)
@click.option(
    "--sheet",
    "sheet_path",
    type=PathType(),
    help="Also write one picture of all images, each above its depth. Not with --resume, which skips images.",
)
@click.option("--colormap", type=click.Choice(COLORMAPS), help="Default: spectral_r.")
@click.option(
    "--range",
    "value_range",
    type=(float, float),
    metavar="LOW HIGH",
    help="Range of the colours, and of a png16 of depth without a unit, in the depth's unit, so that frames compare. "
    "Default: the range of each image; of a video, the range of its scene, which follows the frames slowly.",
)
@click.option(
    "--focal-px",
    type=click.FloatRange(0, min_open=True),
    help="Focal length of the camera in px of the images, for ply and pcd, and for a model that gives metres with it "
    "(Depth Anything 3 metric). Without it the depth of such a model has no unit.",
)
@click.option(
    "--fov",
    "fov_deg",
    type=click.FloatRange(0, 180, min_open=True, max_open=True),
    metavar="DEGREES",
    help="Instead of --focal-px: field of view from the left edge of the images to the right.",
)
@click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="auto",
    show_default=True,
    help="cuda: TensorRT, whose engine is built at the first run, else ONNX Runtime. auto: builds no engine.",
)
@click.option("--threads", type=click.IntRange(1), help="CPU threads. Default: the cores that this process may use.")
@click.option("--max-frames", type=click.IntRange(1), help="Stop a video or camera after so many frames.")
@click.option(
    "--latest",
    is_flag=True,
    help="Of a camera, a stream or a video (at its own speed) take the newest frame each time and skip those that came "
    "meanwhile: no depth is older than a frame and an inference. Every result has stamp, age and skipped frames.",
)
@click.option(
    "--stall-s",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    default=5.0,
    show_default=True,
    help="With --latest: a source that gives no frame for so long has stalled, which ends it.",
)
@click.option(
    "--reconnect",
    is_flag=True,
    help="With --latest: open a camera or stream again that stalls or breaks, after 0.5 s, then twice as long, 30 s at "
    "most.",
)
@click.option("--resume", is_flag=True, help="Skip inputs that have their outputs, of this model and options.")
@click.option("--max-pixels", type=click.IntRange(1), default=100_000_000, show_default=True, help="Largest image.")
@click.option(
    "--max-aspect", type=click.FloatRange(1), default=8.0, show_default=True, help="Longest to shortest side."
)
@click.option(
    "--max-file-mib", type=click.FloatRange(0, min_open=True), default=512.0, show_default=True, help="Largest file."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON line per image, frame and depth video instead of paths."
)
@one_line_errors
def run(
    inputs: tuple[str, ...],
    model_path: Path,
    output: Path,
    formats: tuple[Format, ...],
    sheet_path: Path | None,
    colormap: Colormap | None,
    value_range: tuple[float, float] | None,
    focal_px: float | None,
    fov_deg: float | None,
    device: Device,
    threads: int | None,
    max_frames: int | None,
    latest: bool,
    stall_s: float,
    reconnect: bool,
    resume: bool,
    max_pixels: int,
    max_aspect: float,
    max_file_mib: float,
    as_json: bool,
) -> None:
    """Write the depth of each INPUT.

    INPUT is an image, a video, a folder (with all below it), a quoted pattern such as "**/*.jpg", a
    camera's index, the address of a stream such as rtsp://camera.local/live, or - for an image on standard input. A
    bad input is named and the run continues; the exit code is then 1.

    \b
    Example:
      depthrt run photo.jpg
      depthrt run photos/ clip.mp4 --model model.onnx -o depth/ -f color -f npz --sheet sheet.jpg
      depthrt run 0 --latest -f npz --json
      cat photo.jpg | depthrt run - -o - > depth.png
    """
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # depthrt itself names a bad image or camera in one line
    from ..engine.images.limits import Limits
    from ..engine.model.focal_length import Lens
    from ..engine.run.jobs import STDOUT, Style
    from ..engine.run.latest.latest_reader import Latest
    from ..engine.run.run import RunRequest
    from ..engine.run.run import run as run_all

    if as_json and output == STDOUT:
        raise InputError("--json and -o - found, expected one of them; both write to standard output")
    if reconnect and not latest:
        raise InputError("--reconnect without --latest found, expected both; only the newest frames outlive a break")
    request = RunRequest(
        inputs,
        model=model_path,
        output=output,
        formats=formats,
        style=Style(colormap, value_range),
        lens=Lens(focal_px, fov_deg),
        sheet=sheet_path,
        device=device,
        threads=threads,
        limits=Limits(max_pixels=max_pixels, max_aspect=max_aspect, max_file_mib=max_file_mib),
        max_frames=max_frames,
        resume=resume,
        latest=Latest(stall_s, reconnect) if latest else None,
    )
    report = RunReport(as_json=as_json)
    report.follow(run_all(request, report))
    sys.exit(report.exit_code)

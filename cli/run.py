"""`depthrt run`: images and videos become depth."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from ..engine.errors import InputError
from ..exits import INTERRUPTED, one_line_errors
from .params import ModelType
from .show.run_report import RunReport, show_left_out, show_sheet

if TYPE_CHECKING:
    from ..engine.model.depth_model import DepthModel
    from ..engine.run.output import Output
    from ..engine.run.sheet import Sheet
    from ..engine.run.sources import Source
    from ..engine.run.video import FrameReader
    from ..engine.terms import Colormap, Device, Format

FORMATS = ("color", "side", "png16", "npy", "npz", "pfm", "exr", "tiff")
COLORMAPS = ("spectral_r", "inferno", "turbo", "gray")


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--model",
    "-m",
    "model_path",
    type=ModelType(),
    default="default",
    show_default=True,
    help="A model file, .onnx or .engine. default: the small one that comes with depthrt.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("depth"),
    show_default=True,
    help="Folder that mirrors the inputs' names; or a file, for a single image.",
)
@click.option(
    "-f",
    "--format",
    "formats",
    type=click.Choice(FORMATS),
    multiple=True,
    help="May be given several times. color and side are pictures, the others hold the values, "
    "png16 those up to 65.535 m or within --range. "
    "Default: color, or what the suffix of a named file says.",
)
@click.option(
    "--sheet",
    "sheet_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write one picture of all images, each above its depth. Not with --resume, which leaves images out.",
)
@click.option("--colormap", type=click.Choice(COLORMAPS), help="Default: spectral_r.")
@click.option(
    "--range",
    "value_range",
    type=(float, float),
    metavar="LOW HIGH",
    help="Range of the colours, and of an inverse png16, in the depth's unit, so that frames compare. "
    "Default: each image's own.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="cuda: TensorRT, whose engine is built at the first run, else ONNX Runtime. auto: never builds.",
)
@click.option("--threads", type=click.IntRange(1), help="CPU threads. Default: the cores this process may use.")
@click.option("--max-frames", type=click.IntRange(1), help="Stop a video or camera after so many frames.")
@click.option("--resume", is_flag=True, help="Skip inputs whose outputs are there.")
@click.option("--max-pixels", type=click.IntRange(1), default=100_000_000, show_default=True, help="Largest image.")
@click.option(
    "--max-aspect", type=click.FloatRange(1), default=8.0, show_default=True, help="Longest to shortest side."
)
@click.option(
    "--max-file-mib", type=click.FloatRange(0, min_open=True), default=512.0, show_default=True, help="Largest file."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON line an image, frame or depth video instead of paths."
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
    device: Device,
    threads: int | None,
    max_frames: int | None,
    resume: bool,
    max_pixels: int,
    max_aspect: float,
    max_file_mib: float,
    as_json: bool,
) -> None:
    """Write the depth of each INPUT.

    INPUT is an image, a video, a folder (with all below it), a quoted pattern such as "**/*.jpg", a
    camera's index, or - for an image on standard input. A bad image is named, the rest goes on, and
    the exit code is 1 at the end.

    \b
    Example:
      depthrt run photo.jpg
      depthrt run photos/ clip.mp4 --model model.onnx -o depth/ -f color -f npz --sheet sheet.jpg
    """
    # What is wrong with a video or camera is said in a line of depthrt's own.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    from ..engine.images.limits import Limits
    from ..engine.model.depth_model import load
    from ..engine.run.output import choose_output
    from ..engine.run.sheet import Sheet, check_sheet
    from ..engine.run.sources import find_sources
    from ..engine.system.files import make_folder, try_place

    sources = find_sources(inputs, outputs=output, on_left_out=lambda count: show_left_out(count, output))
    written_to = choose_output(sources, output, formats=formats, colormap=colormap, value_range=value_range)
    if sheet_path is not None:
        if resume:
            raise InputError(
                "--sheet and --resume found, expected one of them; a sheet is made of all images in one run"
            )
        check_sheet(sheet_path, sources, written_to.all_paths(sources))
        make_folder(sheet_path.parent)
        try_place(sheet_path)
    make_folder(written_to.folder)
    limits = Limits(max_pixels=max_pixels, max_aspect=max_aspect, max_file_mib=max_file_mib)
    with load(model_path, device=device, threads=threads, limits=limits) as model:
        report = RunReport(model, as_json=as_json)
        sheet = None if sheet_path is None else Sheet(colormap=colormap, value_range=value_range)
        left = [source for source in sources if not (resume and written_to.is_there(source))]
        try:
            _run_images(model, left, written_to, report, sheet)
            report.resumable = False  # a video begins anew
            _run_videos(model, left, written_to, report, max_frames)
        except KeyboardInterrupt:
            report.interrupted = True
        report.finish(skipped=len(sources) - len(left))
        if sheet is not None and sheet_path is not None and (len(sheet) or not report.interrupted):
            sheet.save(sheet_path)
            show_sheet(sheet_path, sheet)
    sys.exit(INTERRUPTED if report.interrupted else 1 if report.failed else 0)


def _run_images(
    model: DepthModel, sources: list[Source], output: Output, report: RunReport, sheet: Sheet | None
) -> None:
    from ..engine.run.run_images import run_images

    images = [source for source in sources if source.kind == "image"]
    if images:
        outcomes = run_images(model, images, output, sheet=sheet)
        report.follow("images", len(images), ((outcome.item.name, outcome) for outcome in outcomes))


def _run_videos(
    model: DepthModel, sources: list[Source], output: Output, report: RunReport, max_frames: int | None
) -> None:
    """Run each video and camera; one that cannot be read is named and the rest goes on."""
    from ..engine.run.video import FrameReader, run_video

    for source in sources:
        if source.kind == "image":
            continue
        with (
            report.failures_of(source.name),
            closing(FrameReader(source, max_frames=max_frames)) as reader,
            _ended_by_ctrl_c(source, reader),
            report.failures_of(source.name),  # again, or the interrupt would take the place of what went wrong
            closing(run_video(model, source, output, reader)) as outcomes,
        ):
            named = ((f"{source.name} frame {outcome.item}", outcome) for outcome in outcomes)
            report.follow(source.name, reader.frames, named)
            report.show_videos(source.name, list(output.videos(source.target)))


@contextmanager
def _ended_by_ctrl_c(source: Source, reader: FrameReader) -> Iterator[None]:
    """Let Ctrl-C, the only end of a camera's recording, make it whole before it interrupts; a second does not wait.

    A video file is interrupted at once.
    """
    listening = signal.getsignal(signal.SIGINT)
    if source.kind != "camera" or listening is not signal.default_int_handler:
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, listening)
        reader.stop()

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, listening)
        if reader.stopped:
            raise KeyboardInterrupt

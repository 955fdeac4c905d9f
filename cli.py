"""The verbs of `depthrt`: each handler parses, makes one library call and prints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import click

from . import __version__, show
from .engine.errors import BackendUnavailable, DepthrtError

if TYPE_CHECKING:
    from .engine.colour import Colormap
    from .engine.contract import Kind
    from .engine.depth import Format
    from .engine.model import DepthModel
    from .engine.run_files import Output
    from .engine.runner import Device
    from .engine.sources import Source
    from .export.find_weights import Choice
    from .export.network import Family
    from .export.to_onnx import AttentionOp, ExportPrecision

FORMATS = ("color", "side", "png16", "npy", "npz", "pfm", "exr", "tiff")
INTERRUPTED = 130  # exit code after Ctrl-C, as shells count it
COLORMAPS = ("spectral_r", "inferno", "turbo", "gray")

Options = ParamSpec("Options")


class SizeType(click.ParamType[int | tuple[int, int]]):
    """`518`, or `518x686` (height x width)."""

    name = "N|HxW"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | tuple[int, int]:
        """Return one number, or (H, W)."""
        parts = str(value).lower().split("x")
        if not all(part.isdigit() for part in parts) or len(parts) > 2:
            self.fail(f"{value!r} found, expected a number such as 518, or HxW such as 518x686", param, ctx)
        return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))


def _one_line_errors(handler: Callable[Options, None]) -> Callable[Options, None]:
    """Print a DepthrtError as one line and exit with 1; any other error is a bug and shows its traceback."""

    @wraps(handler)
    def wrapped(*arguments: Options.args, **options: Options.kwargs) -> None:
        try:
            handler(*arguments, **options)
        except DepthrtError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(1)

    return wrapped


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="depthrt")
def main() -> None:
    """Take a monocular-depth checkpoint out of the notebook.

    \b
    Example, from a checkpoint to depth pictures:
      depthrt export depth_anything_v2_vits.pth -o model.onnx
      depthrt run photos/ --model model.onnx -o depth/
    """


@main.command()
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("-o", "--output", "path", type=click.Path(path_type=Path), required=True, help="The .onnx file to write.")
@click.option(
    "--family",
    type=click.Choice(["depth-anything-v1", "depth-anything-v2"]),
    help="Default: from the official file name, or from what the file records.",
)
@click.option("--kind", type=click.Choice(["inverse", "metric"]), help="Default: as for --family.")
@click.option(
    "--max-depth", type=float, metavar="M", help="Upper end of a metric model in metres. Default: as for --family."
)
@click.option(
    "--size",
    type=SizeType(),
    metavar="N|HxW",
    default="518",
    show_default=True,
    help="N: the official rule, short side N, any aspect, dynamic height, width and batch. HxW: a static graph.",
)
@click.option("--precision", type=click.Choice(["fp32", "fp16"]), default="fp32", show_default=True)
@click.option(
    "--attention",
    type=click.Choice(["fused", "plain"]),
    default="fused",
    show_default=True,
    help="fused: one com.microsoft MultiHeadAttention op a block. plain: for parsers that lack it.",
)
@click.option(
    "--weights",
    type=click.Choice(["auto", "raw", "ema"]),
    default="auto",
    show_default=True,
    help="Which to take where a file holds raw and averaged weights; auto takes the raw ones and says so.",
)
@click.option("--half-storage", is_flag=True, help="Store weights that float16 holds exactly as float16; same numbers.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@_one_line_errors
def export(
    checkpoint: Path,
    path: Path,
    family: Family | None,
    kind: Kind | None,
    max_depth: float | None,
    size: int | tuple[int, int],
    precision: ExportPrecision,
    attention: AttentionOp,
    weights: Choice,
    half_storage: bool,
    as_json: bool,
) -> None:
    """Write CHECKPOINT as an ONNX file that answers like it.

    CHECKPOINT is a .pth, .pt, .ckpt or .safetensors file, or a Hugging Face folder. The file is
    compared with torch on a photograph before it is left in place.

    \b
    Example:
      depthrt export depth_anything_v2_metric_hypersim_vits.pth -o indoor.onnx --precision fp16
    """
    with _needs("export"):
        from .export.checkpoint import read_checkpoint
        from .export.to_onnx import export_onnx
    read = read_checkpoint(checkpoint, family=family, kind=kind, max_depth_m=max_depth, weights=weights)
    for sentence in read.said:
        click.echo(sentence, err=True)
    with show.steps() as on_step:
        exported = export_onnx(
            read,
            path,
            size=size,
            precision=precision,
            attention=attention,
            half_storage=half_storage,
            on_step=on_step,
        )
    show.show_exported(exported, as_json=as_json)


@main.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--model", "-m", "model_path", type=click.Path(path_type=Path), required=True, help="The .onnx file.")
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
    default=["color"],
    show_default=True,
    help="May be given several times. color and side are pictures, the others hold the values.",
)
@click.option("--colormap", type=click.Choice(COLORMAPS), help="Default: spectral_r.")
@click.option(
    "--range",
    "value_range",
    type=(float, float),
    metavar="LOW HIGH",
    help="Colour range in the depth's unit, so that frames compare. Default: each image's own.",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
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
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line an image instead of paths.")
@_one_line_errors
def run(
    inputs: tuple[str, ...],
    model_path: Path,
    output: Path,
    formats: tuple[Format, ...],
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
      depthrt run photos/ clip.mp4 --model model.onnx -o depth/ -f color -f npz
    """
    from .engine.image import Limits
    from .engine.model import load
    from .engine.run_files import choose_output
    from .engine.sources import find_sources

    sources = find_sources(inputs)
    written_to = choose_output(sources, output, formats=formats, colormap=colormap, value_range=value_range)
    limits = Limits(max_pixels=max_pixels, max_aspect=max_aspect, max_file_mib=max_file_mib)
    with load(model_path, device=device, threads=threads, limits=limits) as model:
        report = show.RunReport(model, as_json=as_json)
        left = [source for source in sources if not (resume and written_to.is_there(source))]
        try:
            _run_images(model, left, written_to, report)
            _run_videos(model, left, written_to, report, max_frames)
        except KeyboardInterrupt:
            report.interrupted = True
        report.finish(skipped=len(sources) - len(left))
    sys.exit(INTERRUPTED if report.interrupted else 1 if report.failed else 0)


def _run_images(model: DepthModel, sources: list[Source], output: Output, report: show.RunReport) -> None:
    from .engine.run_files import run_images

    images = [source for source in sources if source.kind == "image"]
    if images:
        outcomes = run_images(model, images, output)
        report.follow("images", len(images), ((outcome.item.name, outcome) for outcome in outcomes))


def _run_videos(
    model: DepthModel, sources: list[Source], output: Output, report: show.RunReport, max_frames: int | None
) -> None:
    """Run each video and camera; one that cannot be read is named and the rest goes on."""
    from .engine.video import FrameReader, run_video

    for source in sources:
        if source.kind == "image":
            continue
        try:
            with closing(FrameReader(source, max_frames=max_frames)) as reader:
                outcomes = run_video(model, source, output, reader)
                named = ((f"{source.name} frame {outcome.item}", outcome) for outcome in outcomes)
                report.follow(source.name, reader.frames, named)
        except DepthrtError as error:
            report.fail(source.name, error)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@_one_line_errors
def info(file: Path, as_json: bool) -> None:
    """Say what FILE is: the contract of a model file, or what a checkpoint holds.

    \b
    Example:
      depthrt info model.onnx
    """
    from .engine.contract import read_contract

    if file.suffix == ".onnx":
        show.show_contract(read_contract(file), file, as_json=as_json)
        return
    with _needs("export"):
        from .export.checkpoint import describe_checkpoint
    show.show_checkpoint(describe_checkpoint(file), as_json=as_json)


@main.group()
def finetune() -> None:
    """Make scenes with exact depth, to train and to test on."""


@finetune.command()
@click.option(
    "-o", "--output", "folder", type=click.Path(path_type=Path), required=True, help="Folder of the data set."
)
@click.option("-n", "--count", type=click.IntRange(1), required=True, help="Number of scenes.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the first scene; the others count on."
)
@click.option(
    "--layout",
    type=click.Choice(["hypersim", "vkitti2"]),
    default="hypersim",
    show_default=True,
    help="hypersim: rooms, 1024x768, HDF5 distances. vkitti2: streets, 1242x375, PNG centimetres.",
)
@_one_line_errors
def scenes(folder: Path, count: int, seed: int, layout: str) -> None:
    """Write procedural scenes as a data set that readers of Hypersim or Virtual KITTI 2 take unchanged.

    Files that are there are kept, so a stopped run goes on where it was.

    \b
    Example:
      depthrt finetune scenes -o rooms/ -n 1000 --seed 7
    """
    with _needs("finetune"):
        from .finetune.write_dataset import write_hypersim, write_vkitti2
    write = write_hypersim if layout == "hypersim" else write_vkitti2
    with show.counted("scenes") as on_progress:
        dataset = write(folder, count, seed=seed, on_progress=on_progress)
    click.echo(f"{dataset.directory}: {dataset.pairs} scenes")
    click.echo(dataset.train)
    click.echo(dataset.val)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@_one_line_errors
def doctor(as_json: bool) -> None:
    """Try every runner on this machine and say why those that fail do.

    \b
    Example:
      depthrt doctor
    """
    from .engine.doctor import examine

    show.show_findings(examine(), as_json=as_json)


@contextmanager
def _needs(extra: str) -> Iterator[None]:
    """Name the extra to install where an import of it fails."""
    try:
        yield
    except ImportError as error:
        raise BackendUnavailable(f"{error}; install it with: pip install 'depthrt[{extra}]'") from error


if __name__ == "__main__":
    main()

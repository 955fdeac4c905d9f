"""`depthrt export`: a checkpoint becomes a model file."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..engine.errors import InputError
from ..exits import needs, one_line_errors
from .params import ShareType, SizeType, find_images
from .show.exported import show_exported
from .show.progress import steps, titled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..engine.terms import Kind
    from ..export.checkpoint.find_weights import Choice
    from ..export.network.architecture import Family
    from ..export.precision import ExportPrecision
    from ..export.to_onnx import AttentionOp


@click.command()
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
@click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16", "fp16-safe", "bf16", "int8"]),
    default="fp32",
    show_default=True,
    help="Of the arithmetic. fp16-safe: layer norms and softmax in float32. bf16: for TensorRT alone. int8: for "
    "CPUs, as many layers as the drift budget allows; needs --images like those to come.",
)
@click.option(
    "--images",
    multiple=True,
    metavar="INPUT",
    help="For int8: images, folders or patterns to calibrate on; may be given several times. "
    "Default: a photograph that comes with depthrt.",
)
@click.option(
    "--drift-budget",
    type=ShareType(bare=True, zero=False),
    metavar="PERCENT",
    help="For int8: largest mean difference from float32, of the range of depth. Default: 1%.",
)
@click.option(
    "--attention",
    type=click.Choice(["fused", "plain"]),
    help="fused: one com.microsoft MultiHeadAttention op a block. plain: for parsers that lack it, such as the "
    "full TensorRT's. Default: fused, and plain in fp16-safe.",
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
@one_line_errors
def export(
    checkpoint: Path,
    path: Path,
    family: Family | None,
    kind: Kind | None,
    max_depth: float | None,
    size: int | tuple[int, int],
    precision: ExportPrecision,
    attention: AttentionOp | None,
    weights: Choice,
    half_storage: bool,
    images: tuple[str, ...],
    drift_budget: float | None,
    as_json: bool,
) -> None:
    """Write CHECKPOINT as an ONNX file that answers like it.

    CHECKPOINT is a .pth, .pt, .ckpt or .safetensors file, or a Hugging Face folder. The file is
    compared with torch on a photograph before it is left in place.

    \b
    Example:
      depthrt export depth_anything_v2_metric_hypersim_vits.pth -o indoor.onnx --precision fp16
    """
    with needs("export"):
        from ..export.checkpoint.checkpoint import read_checkpoint
        from ..export.int8.quantize import BUDGET, FEW
        from ..export.to_onnx import export_onnx
    if precision != "int8" and (images or drift_budget is not None):
        raise InputError(f"--images or --drift-budget found with {precision}; they are for --precision int8")
    paths = find_images(images)
    if precision == "int8" and len(paths) < FEW:
        click.echo(_few(len(paths), given=bool(images), enough=FEW), err=True)
    read = read_checkpoint(checkpoint, family=family, kind=kind, max_depth_m=max_depth, weights=weights)
    for sentence in read.said:
        click.echo(sentence, err=True)
    with _progress(many=precision == "int8") as (on_step, on_progress):
        exported = export_onnx(
            read,
            path,
            size=size,
            precision=precision,
            attention=attention,
            half_storage=half_storage,
            images=paths,
            budget=BUDGET if drift_budget is None else drift_budget,
            on_step=on_step,
            on_progress=on_progress,
        )
    if exported.weights is not None:
        click.echo(f"note: its weights are in {exported.weights}, which has to stay beside it", err=True)
    show_exported(exported, as_json=as_json)


@contextmanager
def _progress(*, many: bool) -> Iterator[tuple[Callable[[str], None], Callable[[str, int, int], None]]]:
    """Show the steps of an export: by a bar where some of them have many."""
    if not many:
        with steps() as on_step:
            yield on_step, lambda title, done, wanted: None
        return
    with titled() as on_progress:
        yield lambda step: on_progress(step, 0, 1), on_progress


def _few(count: int, *, given: bool, enough: int) -> str:
    """Return the warning about int8 from too few images."""
    found = f"{count} image{'s' if count > 1 else ''}" if given else "the photograph that comes with depthrt"
    return (
        f"warning: int8 is calibrated on {found} and its drift measured on the same; give {enough} or more --images "
        "like those to come"
    )

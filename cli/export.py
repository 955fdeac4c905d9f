"""`depthrt export`: a checkpoint becomes a model file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import show
from .exits import needs, one_line_errors

if TYPE_CHECKING:
    from ..engine.contract import Kind
    from ..export.find_weights import Choice
    from ..export.network import Family
    from ..export.precision import ExportPrecision
    from ..export.to_onnx import AttentionOp


class SizeType(click.ParamType[int | tuple[int, int]]):
    """`518`, or `518x686` (height x width)."""

    name = "N|HxW"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | tuple[int, int]:
        """Return one number, or (H, W)."""
        parts = str(value).lower().split("x")
        if not all(part.isdigit() for part in parts) or len(parts) > 2:
            self.fail(f"{value!r} found, expected a number such as 518, or HxW such as 518x686", param, ctx)
        return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))


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
    type=click.Choice(["fp32", "fp16", "fp16-safe", "bf16"]),
    default="fp32",
    show_default=True,
    help="Of the arithmetic. fp16-safe: layer norms and softmax in float32. bf16: for TensorRT alone.",
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
        from ..export.checkpoint import read_checkpoint
        from ..export.to_onnx import export_onnx
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

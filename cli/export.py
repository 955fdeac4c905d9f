"""`depthrt export`: a checkpoint becomes a model file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..engine.terms import ATTENTION_OPS, EXPORTED_KINDS, FAMILIES, PRECISIONS, WHICH_WEIGHTS
from ..exits import names_unwritten, needs, one_line_errors
from .catalog.fetch import fetch_options, locate
from .params import NameType, PathType, ShareType, SizeType, find_images, of_diffusion
from .show.exported import show_exported
from .show.printing import say
from .show.progress import titled

if TYPE_CHECKING:
    from ..engine.terms import AttentionOp, Family, Kind, Noise, Precision, WhichWeights


@click.command()
@click.argument("checkpoint", type=PathType())
@click.option("-o", "--output", "path", type=PathType(), required=True, help="The .onnx file to write.")
@click.option(
    "--family",
    type=click.Choice(FAMILIES),
    help="Default: from the tensors, the official file name, or what the file records.",
)
@click.option("--kind", type=click.Choice(EXPORTED_KINDS), help="Default: as for --family.")
@click.option(
    "--max-depth",
    "max_depth_m",
    type=float,
    metavar="METRES",
    help="Upper end of a metric model: 20 for the published indoor models, 80 for outdoor ones; ZoeDepth K has 80 by "
    "default, and N and NK have none. "
    "Default: as for --family.",
)
@click.option(
    "--size",
    type=SizeType(),
    metavar="N|HxW",
    help="N: the official rule, short side N, any aspect, dynamic height, width and batch. HxW: a static graph. "
    "Default: the family's own size, 518 for Depth Anything. "
    "A smaller size is faster and blurs what is small: 434, 364, 308, 252 and 196 take 0.73, 0.46, 0.32, 0.25 and 0.15 "
    "of the time of 518 on a CPU.",
)
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="fp32",
    show_default=True,
    help="Of the arithmetic. fp16-safe: layer norms and softmax in float32. bf16: for TensorRT only. int8: for "
    "CPUs, as many layers as the drift budget allows; needs --images like those to come.",
)
@click.option(
    "--images",
    type=NameType(),
    multiple=True,
    metavar="INPUT",
    help="For int8: images, folders or patterns to calibrate on; may be given several times. "
    "Default: a photograph that comes with depthrt.",
)
@click.option(
    "--drift-budget",
    "budget",
    type=ShareType(bare=True, zero=False),
    metavar="PERCENT",
    help="For int8: largest mean difference from float32, of the range of depth. Default: 1%.",
)
@click.option(
    "--attention",
    type=click.Choice(ATTENTION_OPS),
    help="fused: one com.microsoft MultiHeadAttention op a block. plain: for parsers that lack it, such as the "
    "full TensorRT's. Default: fused, and plain in fp16-safe.",
)
@click.option(
    "--no-mirror",
    "mirror",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Leave out the mean with the mirror image, which ZoeDepth takes: half the time, other numbers than the "
    "official ones.",
)
@click.option(
    "--weights",
    type=click.Choice(WHICH_WEIGHTS),
    default="auto",
    show_default=True,
    help="Which weights to take from a file that holds raw and averaged ones; auto takes the raw ones with a note.",
)
@of_diffusion
@click.option("--half-storage", is_flag=True, help="Store weights that float16 holds exactly as float16; same numbers.")
@click.option(
    "--triton",
    "triton",
    type=PathType(),
    metavar="DIR",
    help="Also write the file as a model of the repository DIR of NVIDIA's Triton server, with its configuration and "
    "a client; the model's name is that of the file. Default: none.",
)
@fetch_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@one_line_errors
def export(
    checkpoint: Path,
    path: Path,
    family: Family | None,
    kind: Kind | None,
    max_depth_m: float | None,
    size: int | tuple[int, int] | None,
    precision: Precision,
    attention: AttentionOp | None,
    mirror: bool,
    weights: WhichWeights,
    steps: int | None,
    seed: int | None,
    noise: Noise | None,
    half_storage: bool,
    images: tuple[str, ...],
    budget: float | None,
    triton: Path | None,
    fetching: bool,
    accept_licence: bool,
    as_json: bool,
) -> None:
    """Write CHECKPOINT as an ONNX file that answers like it.

    CHECKPOINT is a .pth, .pt, .ckpt or .safetensors file, or a Hugging Face folder, of Depth Anything V1, V2 or 3,
    MiDaS 2.1 to 3.1 or ZoeDepth, or Marigold's folder of diffusers; or the name of a published model that was fetched,
    or is with --fetch. The file is compared with torch on a photograph before it is left in place.

    `depthrt models` lists the published models with their licences. The file that is written keeps the licence of its
    checkpoint.

    \b
    Example:
      depthrt export depth_anything_v2_metric_hypersim_vits.pth -o indoor.onnx --precision fp16
      depthrt export depth-anything-v2-vits -o model.onnx --fetch
      depthrt export depth_anything_v2_vits.pth -o vits.onnx --triton models/
    """
    with needs("export"):
        from ..export.to_onnx import export_checkpoint
        from ..export.triton import check_repository, write_repository
    if triton is not None:
        check_repository(triton, path, precision)
    checkpoint = locate(checkpoint, fetching=fetching, accepted=accept_licence)
    with names_unwritten(f"{path} was not written"), titled() as on_step:
        exported = export_checkpoint(
            checkpoint,
            path,
            family=family,
            kind=kind,
            max_depth_m=max_depth_m,
            weights=weights,
            steps=steps,
            seed=seed,
            noise=noise,
            size=size,
            precision=precision,
            attention=attention,
            mirror=mirror,
            half_storage=half_storage,
            images=find_images(images) if images else None,
            budget=budget,
            on_note=say,
            on_step=on_step,
        )
        served = None if triton is None else write_repository(triton, exported.path, exported.contract)
    show_exported(exported, triton=served, as_json=as_json)

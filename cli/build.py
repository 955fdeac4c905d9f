"""`depthrt build`: an ONNX file becomes a TensorRT engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..exits import ends_at_once, one_line_errors
from .params import BatchType, ModelType, PathType, PixelsType
from .show.engine import show_built
from .show.progress import titled

if TYPE_CHECKING:
    from ..engine.terms import Precision

LONG_PHASE = 10  # steps; TensorRT has dozens of phases of one to five steps, which end at once


@click.command()
@click.argument("model", type=ModelType())
@click.option("-o", "--output", "path", type=PathType(), required=True, help="The .engine file to write.")
@click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16", "fp16-safe", "bf16"]),
    help="Refuse MODEL if its precision is another one: an engine has the types of its ONNX file. Default: any.",
)
@click.option(
    "--min", "min_px", type=PixelsType(), metavar="HxW", help="Smallest input of a dynamic MODEL. Default: --opt."
)
@click.option(
    "--opt", "opt_px", type=PixelsType(), metavar="HxW", help="The input that runs fastest. Default: --max, or --min."
)
@click.option(
    "--max",
    "max_px",
    type=PixelsType(),
    metavar="HxW",
    help="Largest input. Default: --opt; without any size, images from 9:16 to 16:9 fit, fastest at 4:3.",
)
@click.option(
    "--batch",
    type=BatchType(),
    default="1",
    show_default=True,
    help="Images in a batch of a dynamic MODEL: one number for a fixed batch, or the smallest, best and largest.",
)
@click.option(
    "--compute-capability",
    "compute_capabilities",
    metavar="X.Y",
    multiple=True,
    help="GPUs that a TensorRT-RTX engine runs on, e.g. 8.9; may be given several times. Default: portable, 8.0 and "
    "later. The full TensorRT builds for the GPU of this machine.",
)
@click.option(
    "--workspace", "workspace_mib", type=int, metavar="MIB", help="Most memory for a layer. Default: no limit."
)
@click.option("--tf32", is_flag=True, help="Let float32 products round their inputs to 10 bits: faster, drift of 1e-3.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@one_line_errors
def build(
    model: Path,
    path: Path,
    precision: Precision | None,
    min_px: tuple[int, int] | None,
    opt_px: tuple[int, int] | None,
    max_px: tuple[int, int] | None,
    batch: tuple[int, int, int],
    compute_capabilities: tuple[str, ...],
    workspace_mib: int | None,
    tf32: bool,
    as_json: bool,
) -> None:
    """Build a TensorRT engine of MODEL, an .onnx file that `depthrt export` wrote.

    With TensorRT-RTX this needs no GPU.

    \b
    Example:
      depthrt build model.onnx -o model.engine --opt 518x686 --batch 1,1,4
    """
    from ..engine.trt.build.build import build_engine
    from ..engine.trt.build_options import BuildOptions

    options = BuildOptions(
        min_px=min_px,
        opt_px=opt_px,
        max_px=max_px,
        batch=batch,
        compute_capabilities=compute_capabilities,
        workspace_mib=workspace_mib,
        tf32=tf32,
    )
    with ends_at_once(f"{path} was not written"), titled(least_steps=LONG_PHASE) as on_step:
        built = build_engine(model, path, options=options, precision=precision, on_step=on_step)
    show_built(built, as_json=as_json)

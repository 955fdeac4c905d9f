"""`depthrt finetune train`: a checkpoint goes on learning from data sets."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...engine.terms import EXPORTED_KINDS, FAMILIES, WHICH_WEIGHTS
from ...exits import names_unwritten, needs, one_line_errors
from ..params import ModelType, NameType, PathType
from ..show.finetuning.plan import show_begin, show_plan
from ..show.printing import print_result
from ..show.progress import counted

if TYPE_CHECKING:
    from ...engine.terms import Family, Kind, WhichWeights

CONTINUES = "what was written is whole, the same command continues"
PRESETS = ("mirror", "indoor-art", "outdoor-art")  # those of finetune.adapt.presets, without its imports


_advanced = partial(click.option, hidden=True)  # options that --help leaves out and --help-advanced shows


def _show_advanced(context: click.Context, option: click.Parameter, asked: bool) -> None:
    """Print the help with all options, and end."""
    if not asked or context.resilient_parsing:
        return
    for parameter in context.command.params:
        if isinstance(parameter, click.Option):
            parameter.hidden = not parameter.hidden
    advanced = context.command.get_help(context)
    click.echo(advanced)
    context.exit()


def _shares(context: click.Context, option: click.Parameter, text: str | None) -> tuple[float, ...] | None:
    """Return the numbers of `3,1`."""
    if text is None:
        return None
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 < share < float("inf") for share in found):
        raise click.BadParameter(f"{text!r} found, expected positive numbers such as 3,1", context, option)
    return found


def _fold(context: click.Context, option: click.Parameter, text: str | None) -> tuple[int, int] | None:
    """Return the numbers of `2/5`."""
    if text is None:
        return None
    parts = text.split("/")
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit()]
    if len(parts) != 2 or len(numbers) != 2 or not 1 <= numbers[0] <= numbers[1]:
        raise click.BadParameter(f"{text!r} found, expected K/N such as 2/5, K from 1 to N", context, option)
    return numbers[0], numbers[1]


@click.command()
@click.argument("checkpoint", type=ModelType())
@click.argument("datasets", type=NameType(), nargs=-1, required=True, metavar="DATASET...")
@click.option("-o", "--output", "folder", type=PathType(), required=True, help="Folder of the training.")
@click.option(
    "--preset",
    type=click.Choice(PRESETS),
    help="Parameters for mirrors or pictures; their differences from the study are listed at the start.",
)
@click.option("--epochs", type=click.IntRange(1), help="Default: 10, 48 with a preset.")
@click.option(
    "--size",
    "size_px",
    type=click.IntRange(1),
    metavar="PX",
    help="Side of the images. Default: that of the family, 518 for Depth Anything.",
)
@click.option("--batch", type=click.IntRange(1), help="Images at a time. Default: 2, 1 with a preset.")
@click.option(
    "--freeze",
    metavar="encoder|decoder|N",
    help="Leave this part, or the encoder's first N blocks, exactly as it is.",
)
@click.option("--lora", "lora_rank", type=click.IntRange(1), metavar="RANK", help="Train the encoder by LoRA.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option(
    "--help-advanced",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_advanced,
    help="Show the other options.",
)
@_advanced("--family", type=click.Choice(FAMILIES), help="As in export.")
@_advanced("--kind", type=click.Choice(EXPORTED_KINDS), help="As in export.")
@_advanced("--max-depth", "max_depth_m", type=float, metavar="METRES", help="As in export.")
@_advanced("--weights", type=click.Choice(WHICH_WEIGHTS), default="auto", show_default=True, help="As in export.")
@_advanced(
    "--held-out",
    type=NameType(),
    multiple=True,
    metavar="DATASET",
    help="Validate on it; may be given several times. Default: a fifth of the scenes of each DATASET.",
)
@_advanced(
    "--fold",
    callback=_fold,
    metavar="K/N",
    help="Hold out part K of the scenes in N parts; as many parts as scenes leave one scene out. Default: a fifth.",
)
@_advanced(
    "--depth-units",
    "units_per_m",
    type=click.FloatRange(0, min_open=True),
    default=1000.0,
    show_default=True,
    help="Units a metre of depth files with whole numbers and no unit.",
)
@_advanced(
    "--mix",
    callback=_shares,
    metavar="N,N",
    help="Shares of the data sets, in their order. Default: their numbers of pairs.",
)
@_advanced(
    "--clean-share",
    type=click.FloatRange(0, 1),
    help="Share of images without a flat region. Default: 0.25; as they come if none has one.",
)
@_advanced(
    "--variation",
    type=click.FloatRange(0, 1),
    help="Strength of changes of colour, blur, noise and compression. Default: 0, as upstream.",
)
@_advanced(
    "--whole",
    is_flag=True,
    default=None,
    help="Train on whole images, as the model is used. Default: random squares, as upstream.",
)
@_advanced("--learning-rate", type=float, help="Of the head. Default: 5e-5.")
@_advanced("--encoder-factor", type=float, help="Encoder's rate over the head's. Default: 0.1.")
@_advanced("--layer-decay", type=float, help="Rate of a block over that of the next block. Default: 1.")
@_advanced("--weight-decay", type=float, help="Of matrices and kernels. Default: 0.01.")
@_advanced("--accumulate", type=click.IntRange(1), help="Batches in a step. Default: 1, 4 with a preset.")
@_advanced("--warmup-steps", type=click.IntRange(0), help="Default: 500, at most a third of an epoch.")
@_advanced("--average-decay", type=float, help="Moving average of weights. Default: 0.999, 0 with a preset.")
@_advanced("--planarity-weight", type=float, help="Default: 10; 0 without flat regions.")
@_advanced(
    "--distillation-weight",
    type=float,
    help="Of the starting network's answer outside flat regions, where true depth then counts no more. Default: 14; 0 "
    "without flat regions.",
)
@_advanced(
    "--nudge",
    type=float,
    help="Share of depth by which the starting network's answer is first moved towards true depth. Default: 0.",
)
@_advanced(
    "--recompute/--no-recompute",
    default=None,
    help="Compute blocks again in the backward pass: less memory. Default: with a preset only.",
)
@_advanced("--bf16/--no-bf16", default=None, help="bfloat16 by autocast. Default: yes.")
@_advanced("--seed", type=click.IntRange(0), help="Default: 0.")
@_advanced("--validate-every", type=click.IntRange(1), help="Steps. Default: an epoch, at most 1000.")
@_advanced("--save-every", type=click.IntRange(1), help="Steps. Default: an epoch, at most 1000.")
@_advanced("--keep-best", type=click.IntRange(1), help="Number of checkpoints. Default: 3.")
@_advanced(
    "--patience",
    type=click.IntRange(1),
    help="Validations without a better score. Default: 8 with a preset.",
)
@_advanced(
    "--judge", help="Figure that ranks checkpoints. Default: score, abs_rel outside flat regions plus flat_residual."
)
@_advanced("--tensorboard", is_flag=True, default=None, help="Write figures to TensorBoard too.")
@_advanced("--plan", "only_plan", is_flag=True, help="Show what would be done and its memory; train nothing.")
@one_line_errors
def train(
    checkpoint: Path,
    datasets: tuple[str, ...],
    folder: Path,
    device: str,
    family: Family | None,
    kind: Kind | None,
    max_depth_m: float | None,
    weights: WhichWeights,
    held_out: tuple[str, ...],
    units_per_m: float,
    only_plan: bool,
    **wished: Any,  # noqa: ANN401 (each is a field of Wishes; a test holds that)
) -> None:
    """Train CHECKPOINT on data sets; what it knew stays outside mirrors and pictures.

    CHECKPOINT is any that export takes, of Depth Anything, MiDaS (Swin aside) or depthrt, or "default", the model that
    comes with depthrt. DATASET is a folder of
    image and depth pairs or another data set as bench takes it; mirrors and pictures are known from the masks that its
    manifest names. A fifth of its scenes is held out. The folder gets trained.safetensors, which export reads. The same
    command continues a training that was stopped.

    \b
    Example:
      depthrt finetune train depth_anything_v2_metric_hypersim_vits.pth photos/ -o tuned/
      depthrt finetune train depth_anything_v2_metric_hypersim_vitl.pth rooms/ -o flat/ --preset mirror
      depthrt finetune train default rooms/ -o mine/
    """
    with needs("finetune"):
        from ...finetune.adapt.plan import Wishes
        from ...finetune.fine_tune import fine_tune, prepare
        from ...finetune.training.group import speaks_for_all
    with counted("masks") as on_masks:
        prepared = prepare(
            checkpoint,
            datasets,
            Wishes(**wished),
            held_out=held_out,
            family=family,
            kind=kind,
            max_depth_m=max_depth_m,
            weights=weights,
            units_per_m=units_per_m,
            device=device,
            on_masks=on_masks,
        )
    if speaks_for_all():
        show_plan(prepared)
    if only_plan:
        return
    with names_unwritten(CONTINUES):
        trained = fine_tune(prepared, folder, device=device, on_begin=show_begin)
    print_result(trained.path)

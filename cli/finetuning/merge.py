"""`depthrt finetune merge`: weights of a training become a plain checkpoint in the official layout."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from ...exits import names_unwritten, needs, one_line_errors
from ..params import PathType
from ..show.finetuning.plan import show_merged
from ..show.printing import print_result


@click.command()
@click.argument("trained", type=PathType())
@click.option("--into", "official", type=PathType(), required=True, help="Checkpoint whose layout the result has.")
@click.option("-o", "--output", "path", type=PathType(), required=True, help="The .pth or .safetensors file to write.")
@click.option("--alpha", type=click.FloatRange(0, min_open=True), help="LoRA's alpha, if TRAINED does not record it.")
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Of the way from OFFICIAL to TRAINED: less moves less of the depth that should stay.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the names of all tensors as JSON.")
@one_line_errors
def merge(trained: Path, official: Path, path: Path, alpha: float | None, share: float, as_json: bool) -> None:
    """Write OFFICIAL with the weights that TRAINED holds.

    TRAINED is a file of any trainer: weights under "model" or another key, with prefixes such as "module.", whole or in
    part; a state or a checkpoint of finetune train; updates of LoRA, which are added; a folder of peft. Tensors that it
    lacks are kept, tensors of another shape are kept and named.

    \b
    Example:
      depthrt finetune merge latest.pth --into depth_anything_v2_metric_hypersim_vitl.pth -o tuned_vitl.pth
      depthrt finetune merge flat/trained.safetensors --into start.safetensors -o half.safetensors --share 0.5
    """
    with needs("finetune"):
        from ...finetune.adapt.merge import merge_checkpoint
    with names_unwritten(f"{path} was not written"):
        merged = merge_checkpoint(trained, official, path, alpha=alpha, share=share)
    if as_json:
        print_result(json.dumps({**asdict(merged), "path": str(merged.path)}))
    else:
        show_merged(merged)

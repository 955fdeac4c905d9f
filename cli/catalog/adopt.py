"""`depthrt adopt`: a depth ONNX file of others becomes a model file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...engine.terms import KINDS
from ...exits import names_unwritten, needs, one_line_errors
from ..params import PathType, SizeType
from ..show.exported import show_adopted
from ..show.printing import say
from ..show.progress import titled

if TYPE_CHECKING:
    from ...engine.terms import Kind

_COLOURS = 3
Triple = tuple[float, float, float]


class ColourType(click.ParamType[Triple]):
    """`0.485,0.456,0.406`: red, green, blue; or one number for all three."""

    name = "R,G,B"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Triple:
        """Return three numbers."""
        if isinstance(value, tuple):
            return value
        parts = str(value).split(",")
        try:
            numbers = [float(part) for part in parts]
        except ValueError:
            numbers = []
        if len(numbers) == 1:
            numbers *= _COLOURS
        if len(numbers) != _COLOURS:
            self.fail(f"{value!r} found, expected R,G,B such as 0.485,0.456,0.406, or one number", param, ctx)
        return numbers[0], numbers[1], numbers[2]


@click.command()
@click.argument("source", type=PathType())
@click.option("-o", "--output", "path", type=PathType(), required=True, help="The .onnx file to write.")
@click.option(
    "--like",
    metavar="FAMILY|NAME",
    help="Bring images to it, and read its numbers, as for this family, such as depth-anything-v2, or this published "
    "model, such as depth-anything-v2-vits. Default: what config.json, the name of SOURCE or its layout says.",
)
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    help="Of its depth. Default: as for --like; nothing is guessed.",
)
@click.option(
    "--max-depth",
    "max_depth_m",
    type=float,
    metavar="METRES",
    help="Upper end of a metric model. Default: as for --like.",
)
@click.option(
    "--size",
    type=SizeType(),
    metavar="N|HxW",
    help="N: short side of images, aspect kept. HxW: makes the graph static. Default: what the graph, "
    "preprocessor_config.json or the family says.",
)
@click.option(
    "--mean",
    type=ColourType(),
    metavar="R,G,B",
    help="Of RGB in [0, 1]; the network gets (RGB - mean) / std. Default: what preprocessor_config.json, the graph or "
    "the family says.",
)
@click.option("--std", type=ColourType(), metavar="R,G,B", help="Beside --mean. Default: as for --mean.")
@click.option(
    "--output-name",
    "output",
    metavar="NAME",
    help="The output of the graph that is the depth. Default: the only one that can be, or predicted_depth or depth.",
)
@click.option(
    "--checkpoint",
    type=PathType(),
    metavar="CKPT",
    help="Compare it with the checkpoint that it was made from, and record the drift. Default: it is not compared.",
)
@click.option(
    "--force", is_flag=True, help="Write it although it fails probes; what it failed then stands in every result."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@one_line_errors
def adopt(
    source: Path,
    path: Path,
    like: str | None,
    kind: Kind | None,
    max_depth_m: float | None,
    size: int | tuple[int, int] | None,
    mean: Triple | None,
    std: Triple | None,
    output: str | None,
    checkpoint: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Make a model file of SOURCE, a depth ONNX file of others, or say why it cannot be trusted.

    SOURCE is an .onnx file, or a folder that holds one, as a repository of Hugging Face does; config.json and
    preprocessor_config.json beside it are read. The file is run on rendered rooms with exact depth and a photograph
    before it is left in place. Its graph stays as it is, but for nodes before its input and after its output.

    \b
    Example:
      depthrt adopt depth-anything-v2-small/onnx/model_fp16.onnx -o theirs.onnx
      depthrt adopt dav2_518.onnx -o theirs.onnx --like depth-anything-v2-vits
      depthrt adopt own.onnx -o own-depth.onnx --kind metric --size 384 --mean 0.5 --std 0.5
    """
    with needs("export"):
        from ...export.adopt.adopt import adopt as take
        from ...export.adopt.options import Options
    options = Options(like=like, kind=kind, max_depth_m=max_depth_m, size=size, mean=mean, std=std, output=output)
    with names_unwritten(f"{path} was not written"), titled() as on_step:
        adopted = take(source, path, options=options, checkpoint=checkpoint, force=force, on_note=say, on_step=on_step)
    show_adopted(adopted, as_json=as_json)

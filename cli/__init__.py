"""The verbs of `depthrt`: each handler parses, makes one library call and prints."""

from __future__ import annotations

import click

from ..engine.version import __version__
from .bench import bench
from .build import build
from .export import export
from .finetune import finetune
from .info import doctor, info
from .run import run
from .tune import tune


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="depthrt")
def main() -> None:
    """Take a monocular-depth checkpoint out of the notebook.

    \b
    Example, from a checkpoint to depth pictures:
      depthrt export depth_anything_v2_vits.pth -o model.onnx
      depthrt run photos/ --model model.onnx -o depth/
    """


for verb in (export, build, run, info, tune, bench, finetune, doctor):
    main.add_command(verb)

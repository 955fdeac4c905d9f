"""The verbs of `depthrt`: each handler parses, makes one library call and prints."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from ..engine.system.escape import escaped
from ..engine.version import __version__
from .bench import bench
from .build import build
from .catalog.adopt import adopt
from .catalog.fetch import fetch
from .catalog.models import models
from .export import export
from .finetune import finetune
from .info import doctor, info
from .robots.bag import bag
from .robots.bridge import bridge
from .run import run
from .serving.serve import serve
from .show.printing import log_as_talk
from .tune import tune


class _Program(click.Group):
    """The verbs in the order in which they were added; wrong usage is shown without control characters."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - as click has it
    ) -> click.Context:
        """Parse the arguments before the verb."""
        with _printable_errors():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        """Parse the arguments of the verb, and run it."""
        with _printable_errors(), log_as_talk():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs."""
        return list(self.commands)


@contextmanager
def _printable_errors() -> Iterator[None]:
    """Escape control characters in what click says about arguments."""
    try:
        yield
    except click.UsageError as error:
        message = error.format_message()
        if message == escaped(message, keep="\n"):
            raise
        raise click.UsageError(escaped(message, keep="\n"), error.ctx) from None


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="depthrt")
def main() -> None:
    """Turn a monocular-depth checkpoint into a model file that gives the same depth, and run it without torch.

    Results go to standard output, talk and progress to standard error. The exit code is 0 if all went well, 1 if
    anything failed, 2 for wrong usage, and 130, 143 or 129 after Ctrl-C, SIGTERM or SIGHUP.

    \b
    Example, from a checkpoint to pictures of depth:
      depthrt export depth_anything_v2_vits.pth -o model.onnx
      depthrt run photos/ --model model.onnx -o depth/
    """


# One line each for `depthrt --help`: 80 columns hold 64 characters.
_SUMMARIES = {
    models: "List the published models that are exported, with licences.",
    fetch: "Download a published model, checked and whole.",
    export: "Write a checkpoint as an ONNX file that gives the same depth.",
    adopt: "Take a depth ONNX file of others, once it passes probes.",
    build: "Build a TensorRT engine of an ONNX file.",
    run: "Write the depth of images, folders, videos and cameras.",
    bag: "Write a robot's recorded bag again, with depth.",
    bridge: "Publish the depth of a live ROS topic, over Zenoh.",
    serve: "Answer images with depth over HTTP, with a page.",
    info: "Print what a model file, a checkpoint or a bag is.",
    tune: "Find and remember the fastest way to run a file on this CPU.",
    bench: "Measure models side by side, compare reports, bisect drift.",
    finetune: "Train a checkpoint on data sets so that mirrors are flat.",
    doctor: "Try each runner on this machine and print why any fails.",
}
for verb, summary in _SUMMARIES.items():
    verb.short_help = summary
    main.add_command(verb)
if sys.flags.optimize > 1:
    from .help_text import restore_help

    restore_help(main)

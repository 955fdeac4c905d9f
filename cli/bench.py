"""`depthrt bench`: models measured side by side, two such reports compared, and the layer where one model departs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..exits import needs, one_line_errors
from .measure import measure
from .params import PathType
from .show.bench import show_bisection, show_comparison
from .show.progress import steps


class _MeasureByDefault(click.Group):
    """A group that runs its verb `measure` if its name is followed by files."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert `measure` before arguments that do not begin with a verb."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["measure", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_MeasureByDefault)
def bench() -> None:
    """Measure models side by side: latency, drift and accuracy in one report.

    `depthrt bench MODEL...` is `depthrt bench measure MODEL...`, which has the options.

    \b
    Example:
      depthrt bench model.onnx depth_anything_v2_vits.pth --images photos/ -o report/
      depthrt bench default model.onnx --probes -o report/
    """


@bench.command()
@click.argument("before", type=PathType(), metavar="A.json")
@click.argument("after", type=PathType(), metavar="B.json")
@click.option(
    "--fail-on",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help='Such as "p50>+5%", "file.p90>+2ms", "drift>0.5%", "delta1<-1%", "rss>+50MiB"; may be given several times.',
)
@click.option("--across-machines", is_flag=True, help="Compare although the machines differ.")
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="OLD=NEW",
    help="Subjects, or model files with all their subjects, that A and B name differently; may be given several times.",
)
@click.option("--by-position", is_flag=True, help="Compare the first subject of A with the first of B, and so on.")
@click.option("--markdown", is_flag=True, help="Print Markdown, for a pull request.")
@one_line_errors
def compare(
    before: Path,
    after: Path,
    conditions: tuple[str, ...],
    across_machines: bool,
    names: tuple[str, ...],
    by_position: bool,
    markdown: bool,
) -> None:
    """Compare the report A.json with B.json; exit with 1 if a condition is clearly met.

    A limit with a sign is a change from A to B, a limit without a sign is B's own value. A change counts only if
    its whole 95 % interval is past the limit, so noise raises no alarm.

    \b
    Example:
      depthrt bench compare main/report.json branch/report.json --fail-on "p50>+5%" --fail-on "drift>0.5%"
      depthrt bench compare old/report.json new/report.json --name vits.onnx=vits-int8.onnx
    """
    with needs("bench"):
        from ..bench.compare.compare import compare as compare_reports
    comparison = compare_reports(
        before, after, conditions, across_machines=across_machines, names=names, by_position=by_position
    )
    show_comparison(comparison, markdown=markdown)
    sys.exit(comparison.exit_code)


@bench.command()
@click.argument("reference", type=PathType(), metavar="REFERENCE.onnx")
@click.argument("suspect", type=PathType(), metavar="SUSPECT.onnx")
@click.option("--tolerance", type=click.FloatRange(0, min_open=True), help="Default: by the suspect's precision.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads. Default: the cores that this process may use.")
@one_line_errors
def bisect(reference: Path, suspect: Path, tolerance: float | None, threads: int | None) -> None:
    """Name the first layer where SUSPECT departs from REFERENCE, a float32 file of the same network.

    \b
    Example:
      depthrt bench bisect fp32.onnx fp16.onnx
    """
    with needs("bench"):
        from ..bench.drift.bisect import bisect as find_departure
    with steps() as on_step:
        found = find_departure(reference, suspect, tolerance=tolerance, threads=threads, on_step=on_step)
    show_bisection(found)
    sys.exit(1 if found.departure else 0)


bench.add_command(measure)

"""`depthrt tune`: the fastest way to run a model file on this machine within a drift budget, remembered."""

from __future__ import annotations

from pathlib import Path

import click

from ..exits import names_unwritten, one_line_errors
from .params import ModelType, NameType, ShareType, old_names
from .show.progress import titled
from .show.tuned import show_forgotten, show_tuned


@click.command(context_settings=old_names(budget="drift-budget"))
@click.argument("model", type=ModelType())
@click.option(
    "--drift-budget",
    type=ShareType(),
    metavar="PERCENT",
    default="0.5%",
    show_default=True,
    help="Largest mean difference from float32, of the range of depth; 0% takes float32 only.",
)
@click.option(
    "--images",
    type=NameType(),
    multiple=True,
    metavar="INPUT",
    help="Images, folders or patterns like those to come; may be given several times. "
    "Default: a photograph that comes with depthrt.",
)
@click.option(
    "--threads", type=click.IntRange(1), help="As given to load. Default: the cores that this process may use."
)
@click.option("--rounds", type=click.IntRange(2), default=10, show_default=True, help="Turns of each, two calls each.")
@click.option("--forget", is_flag=True, help="Measure nothing: remove what is remembered for MODEL.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@one_line_errors
def tune(
    model: Path,
    drift_budget: float,
    images: tuple[str, ...],
    threads: int | None,
    rounds: int,
    forget: bool,
    as_json: bool,
) -> None:
    """Measure every way to run MODEL on this CPU and remember the fastest within the budget.

    Times are from image array to depth array, all in turns; drift is against ONNX Runtime in float32. From then on
    everything that loads MODEL on this machine with as many threads runs it that way, until MODEL, depthrt or a
    runtime changes.

    \b
    Example:
      depthrt tune model.onnx --drift-budget 0.5% --images photos/
    """
    from ..bench.run.request import TuneRequest
    from ..bench.run.tune import forget as forget_choice
    from ..bench.run.tune import tune as tune_model

    if forget:
        show_forgotten(model, forget_choice(model, threads=threads), as_json=as_json)
        return
    request = TuneRequest(model, images=images, drift_budget=drift_budget, threads=threads, rounds=rounds)
    with names_unwritten(f"nothing was remembered for {model}"), titled() as on_step:
        tuned = tune_model(request, on_step=on_step)
    show_tuned(tuned, model, threads=threads, as_json=as_json)

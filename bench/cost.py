"""The cost of an image by its size, single and in batches: time per megapixel and work per second, in one plot.

python -m depthrt.bench.cost depth_anything_v2_vits.pth vits.onnx -o cost.json --plot cost.svg

The file must take any size and any batch. Every runner and precision that works here runs every size, in turns.
"""

from __future__ import annotations

import random
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

import click
import numpy as np

from ..engine.errors import InputError
from ..engine.model.depth_model import load
from ..engine.modelfile.contract import read_contract
from ..engine.modelfile.shipped import model_path
from ..engine.runners.open_runner import available_choices
from ..engine.runners.runner import Runner
from ..engine.system.cores import usable_cores
from ..engine.system.files import atomic_path, try_place
from ..engine.terms import EXPORTED_KINDS, FAMILIES, Family, Kind
from ..exits import one_line_errors, read_numbers
from .machine.ceilings import count_work
from .machine.describe import describe_machine, describe_run
from .numbers.printable import write_json
from .subjects.checkpoint_options import CheckpointOptions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDES_PX = (266, 392, 518, 644, 770, 896, 1036)
BATCHES = (2, 4, 8)
BATCH_SIDES_PX = (266, 518)
_MEGA = 1e6


@dataclass(frozen=True, slots=True)
class SquareBatch:
    """The input of one call: `batch` square images."""

    side_px: int
    batch: int

    @property
    def megapixels(self) -> float:
        """Return the pixels of the network's input."""
        return self.batch * self.side_px**2 / _MEGA


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a call.

    Args:
        way: Runner and precision.
        load: The input.
        gflop: Of the call.
        samples_ms: One for each round.
    """

    way: str
    load: SquareBatch
    gflop: float
    samples_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """Return the median of the calls."""
        return float(np.median(self.samples_ms))

    @property
    def ms_per_megapixel(self) -> float:
        """Return the time per million pixels; a token is 196 pixels."""
        return self.median_ms / self.load.megapixels

    @property
    def gflops(self) -> float:
        """Return the GFLOP per second."""
        return self.gflop / self.median_ms * 1e3


def make_inputs(sides_px: Sequence[int], batches: Sequence[int]) -> list[SquareBatch]:
    """Return single images of every side, and batches of the sides in BATCH_SIDES_PX, else of the smallest side."""
    batched = [side for side in BATCH_SIDES_PX if side in sides_px] or [min(sides_px)]
    single = [SquareBatch(side, 1) for side in sides_px]
    return [*single, *(SquareBatch(side, batch) for side in batched for batch in batches)]


def measure_costs(
    runners: dict[str, Runner], inputs: Sequence[SquareBatch], work_gflop: dict[int, float], *, rounds: int
) -> Iterator[Cost]:
    """Time every input in every runner, in turns; each turn begins with a call that does not count.

    Args:
        runners: By name.
        inputs: Of the calls.
        work_gflop: Of one image, by side.
        rounds: Number of turns of each.
    """
    turns = [(way, squares) for way in runners for squares in inputs]
    samples_ms: dict[tuple[str, SquareBatch], list[float]] = {turn: [] for turn in turns}
    order, numbers = random.Random(0), np.random.default_rng(0)
    for done in range(rounds):
        order.shuffle(turns)
        for way, squares in turns:
            shape = (squares.batch, 3, squares.side_px, squares.side_px)
            batch = numbers.standard_normal(shape, np.float32)
            runners[way].run(batch)
            start = perf_counter()
            runners[way].run(batch)
            samples_ms[way, squares].append((perf_counter() - start) * 1e3)
        click.echo(f"round {done + 1}/{rounds}", err=True)
    for (way, squares), found in samples_ms.items():
        yield Cost(way, squares, squares.batch * work_gflop[squares.side_px], tuple(found))


def draw_costs(costs: Sequence[Cost], title: str) -> Figure:
    """Draw time per megapixel and GFLOP per second over the image's side: a line for each runner, rings for batches."""
    from matplotlib.figure import Figure

    figure = Figure((12, 4), layout="constrained")
    figure.suptitle(title)
    panels = figure.subplots(1, 2)
    read = {"ms per megapixel (a token is 196 pixels)": "ms_per_megapixel", "GFLOP per second": "gflops"}
    for axes, (label, name) in zip(panels, read.items(), strict=True):
        for way in dict.fromkeys(cost.way for cost in costs):
            single = sorted((cost for cost in costs if cost.way == way and cost.load.batch == 1), key=_side)
            (line,) = axes.plot([*map(_side, single)], [getattr(cost, name) for cost in single], "o-", ms=4, label=way)
            for cost in costs:
                if cost.way == way and cost.load.batch > 1:
                    size = 5 + 1.5 * cost.load.batch
                    axes.plot(_side(cost), getattr(cost, name), "o", ms=size, mfc="none", mec=line.get_color())
        axes.set(xlabel="side of the image, px (rings: batches, larger for more images)", ylim=(0, None))
        axes.set_title(label, loc="left", fontsize="medium")
        axes.set_xticks(sorted({_side(cost) for cost in costs}))
        axes.grid(alpha=0.3)
    panels[0].legend()
    return figure


def _side(cost: Cost) -> int:
    return cost.load.side_px


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--sides", default=",".join(map(str, SIDES_PX)), show_default=True, help="Sides of square inputs, px.")
@click.option(
    "--batches", default=",".join(map(str, BATCHES)), show_default=True, help="Measured besides single images."
)
@click.option("--family", type=click.Choice(FAMILIES), help="As in export.")
@click.option("--kind", type=click.Choice(EXPORTED_KINDS), help="As in export.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--threads", type=click.IntRange(1), help="Default: the cores that this process may use.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The JSON to write.")
@click.option("--plot", type=click.Path(path_type=Path), help="A picture to write: .svg, .png or .pdf.")
@one_line_errors
def main(
    checkpoint: Path,
    model: Path,
    sides: str,
    batches: str,
    family: Family | None,
    kind: Kind | None,
    rounds: int,
    threads: int | None,
    out: Path,
    plot: Path | None,
) -> None:
    """Measure MODEL, an export of CHECKPOINT, at many sizes and batches."""
    started, start_s = datetime.now(timezone.utc), monotonic()
    for place in filter(None, (out, plot)):
        try_place(place)
    model = model_path(model)
    contract = read_contract(model)
    if contract.size.static or contract.batch is not None:
        raise InputError(f"{model} takes only one size or batch; export it with --size N")
    sides_px = read_numbers(sides, ",", example="266,518")
    if wrong := [side for side in sides_px if side % contract.size.multiple_px]:
        raise InputError(f"side {wrong[0]} found, expected multiples of {contract.size.multiple_px} px; give --sides")
    inputs = make_inputs(sides_px, read_numbers(batches, ",", example="2,4") if batches else ())
    work_gflop = {side: count_work(checkpoint, CheckpointOptions((side, side), family, kind)) for side in sides_px}
    with ExitStack() as stack:
        runners: dict[str, Runner] = {}
        for choice in available_choices(contract, threads or usable_cores()):
            opened = stack.enter_context(load(model, device="cpu", choice=choice))
            runners[f"{choice.runner} {choice.precision}"] = opened.runner
        costs = list(measure_costs(runners, inputs, work_gflop, rounds=rounds))
    made = describe_run(
        shlex.join(["python", "-m", "depthrt.bench.cost", *sys.argv[1:]]),
        {"rounds": str(rounds), "threads": str(threads or usable_cores())},
        started=started,
        took_s=monotonic() - start_s,
    )
    machine = describe_machine()
    result = {"machine": asdict(machine), "made": asdict(made), "costs": [*map(asdict, costs)]}
    write_json(out, result)
    if plot is not None:
        with atomic_path(plot) as temporary:
            draw_costs(costs, f"{contract.model} on {machine.cpu}, {machine.cores} cores").savefig(temporary)
    for cost in costs:
        click.echo(
            f"{cost.way:20} {cost.load.batch} x {cost.load.side_px:4} px  {cost.median_ms:7.0f} ms  "
            f"{cost.ms_per_megapixel:6.0f} ms/MP  {cost.gflops:5.0f} GFLOP/s"
        )


if __name__ == "__main__":
    main()

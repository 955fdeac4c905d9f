"""Whether a benchmark on this machine can be trusted: it must find planted faults and raise no other alarm.

python -m depthrt.bench.self_check default -o self-check.json

The model is measured many times, each time in a fresh process, against itself as the reference: unchanged, 10 % slower,
and 1 % of the range off. Each run is compared with the last unchanged run, as `depthrt bench compare` does.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Literal

import click
import numpy as np
from numpy.typing import NDArray

from ..engine.errors import DepthrtError
from ..engine.model.depth_model import DepthModel
from ..engine.modelfile.shipped import PHOTO
from ..engine.runners.runner import Runner
from ..engine.system.files import try_place
from ..engine.terms import Precision
from ..exits import one_line_errors
from .compare.change import relative_change
from .compare.compare import compare
from .compare.reference import find_reference
from .latency.turns import Rounds
from .machine.describe import describe_machine
from .numbers.figures import FIGURES, MAIN_SCOPE
from .numbers.printable import write_json
from .numbers.result import Interval, Report
from .run.measurement import Measurement
from .run.run_bench import run_bench
from .subjects.find_subjects import find_subjects

Planted = Literal["nothing", "slower", "off"]

SLOWER, OFF = 0.10, 0.01  # of the time; of the answer's range
NEAR = 0.03  # of the median; two runs of the same code may differ by this much
CONDITIONS = ("p50>+3%", "p50>+5%", "speed<-3%", "speed<-5%", "drift>+0.5%")
MUST_FAIL: dict[Planted, tuple[str, ...]] = {"nothing": (), "slower": CONDITIONS[:4], "off": CONDITIONS[4:]}


@dataclass(frozen=True, slots=True)
class PlantedRun:
    """One run, compared with the last unchanged run.

    Args:
        planted: The planted fault.
        clock: Growth of the median from array to array.
        beyond: The same beyond the reference's growth, turn by turn.
        failed: Conditions that failed.
        took_s: Duration of the run.
    """

    planted: Planted
    clock: float
    beyond: Interval
    failed: tuple[str, ...]
    took_s: float


class Altered:
    """A runner with a planted fault: its answers are late or off."""

    def __init__(self, runner: Runner, planted: Planted) -> None:
        self._runner, self._planted = runner, planted
        self.name, self.provider, self.notes = runner.name, runner.provider, runner.notes
        self.precision: Precision = runner.precision

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the runner's answer; blocks."""
        start = perf_counter()
        answer = self._runner.run(batch)
        if self._planted == "slower":
            end = perf_counter() + SLOWER * (perf_counter() - start)
            while perf_counter() < end:
                pass
        return answer if self._planted != "off" else answer + np.float32(OFF * np.ptp(answer))

    def close(self) -> None:
        """Free the runner."""
        self._runner.close()


def measure_once(model: str, planted: Planted, rounds: int | None) -> Report:
    """Measure a model with a planted fault against itself in this process."""
    subject, reference = find_subjects([model, model], devices=["cpu"], runners=["onnxruntime"])
    timed = Rounds(scopes=(MAIN_SCOPE,))
    measurement = Measurement(timed, frame_rate=None, loads=(), processes=0, energy=False)
    if rounds is not None:
        measurement = replace(measurement, rounds=replace(timed, count=rounds), narrowing=None)
    altered = replace(subject, open=partial(_open_altered, subject.open, planted))
    return run_bench([altered, reference], [PHOTO], measurement, reference=reference.name).report


def judge_run(before: Report, after: Report, planted: Planted, took_s: float) -> PlantedRun:
    """Compare two reports as a team's CI does.

    Raises:
        DepthrtError: The subject was not measured.
    """
    old, new = before.subjects[0], after.subjects[0]
    reference, figure = find_reference(before, after), FIGURES[f"{MAIN_SCOPE}.p50"]
    beyond = reference.take_off(figure, old, new) if reference else None
    if beyond is None:
        raise DepthrtError(f"{new.name} was not measured: {new.failure or old.failure}; check its file")
    clock = relative_change(figure.read(old)[""], figure.read(new)[""]).value
    failed = tuple(dict.fromkeys(check.condition for check in compare(before, after, CONDITIONS).failed))
    return PlantedRun(planted, clock, beyond, failed, took_s)


def summarise(runs: list[PlantedRun]) -> dict[str, str]:
    """Return for each condition how many planted faults it caught and how many false alarms it raised."""
    lines = {}
    for condition in CONDITIONS:
        caught = [condition in run.failed for run in runs if condition in MUST_FAIL[run.planted]]
        alarms = [condition in run.failed for run in runs if run.planted == "nothing"]
        lines[condition] = f"caught {sum(caught)} of {len(caught)}, false alarms {sum(alarms)} of {len(alarms)}"
    same = [run.beyond for run in runs if run.planted == "nothing"]
    near = sum(abs(growth.value) <= NEAR for growth in same)
    admitted = sum(abs(growth.value) <= NEAR or growth.low <= 0 <= growth.high for growth in same)
    lines["p50 of unchanged runs"] = (
        f"within 3 %: {near} of {len(same)}; within 3 % or its interval holds 0: {admitted}"
    )
    clocks = [abs(run.clock) for run in runs if run.planted == "nothing"]
    lines["the machine"] = f"within 3 % by the clock: {sum(clock <= NEAR for clock in clocks)} of {len(clocks)}"
    return lines


def _in_fresh_process(model: str, planted: Planted, rounds: int | None) -> Report:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(measure_once, model, planted, rounds).result()


def _open_altered(opener: Callable[[], DepthModel], planted: Planted) -> DepthModel:
    model = opener()
    if planted != "nothing":
        model.runner = Altered(model.runner, planted)
    return model


@click.command()
@click.argument("model")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
@click.option(
    "--clean",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Runs of the unchanged model.",
)
@click.option("--slower", type=click.IntRange(0), default=10, show_default=True, help="Runs that are 10 % slower.")
@click.option("--off", type=click.IntRange(0), default=5, show_default=True, help="Runs that are 1 % of the range off.")
@click.option("--rounds", type=click.IntRange(1), help="Of each run. Default: as in `depthrt bench`.")
@click.option("--seed", default=0, show_default=True, help="Of the order.")
@one_line_errors
def main(model: str, out: Path, clean: int, slower: int, off: int, rounds: int | None, seed: int) -> None:
    """Measure MODEL many times with planted faults and print how many were caught."""
    try_place(out)
    order: list[Planted] = [*["nothing"] * clean, *["slower"] * slower, *["off"] * off]  # type: ignore[list-item]
    random.Random(seed).shuffle(order)
    runs: list[PlantedRun] = []
    last = _in_fresh_process(model, "nothing", rounds)
    for planted in order:
        start = perf_counter()
        report = _in_fresh_process(model, planted, rounds)
        run = judge_run(last, report, planted, perf_counter() - start)
        times = f"p50 {run.beyond.value:+.1%} ({run.clock:+.1%} by the clock)"
        click.echo(f"{planted:8} {times}  failed: {', '.join(run.failed) or 'none'}", err=True)
        runs.append(run)
        last = report if planted == "nothing" else last
    found = summarise(runs)
    result = {"model": model, "machine": asdict(describe_machine()), "found": found, "trials": [*map(asdict, runs)]}
    write_json(out, result)
    for condition, line in found.items():
        click.echo(f"{condition}: {line}")


if __name__ == "__main__":
    main()

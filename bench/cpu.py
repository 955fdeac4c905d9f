"""torch, the naive export and depthrt's file by every runner and precision of this CPU, all in one run.

python -m depthrt.bench.cpu depth_anything_v2_vits.pth vits-518x518.onnx --size 518x518 -o cpu.json
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ..engine.errors import InputError
from ..engine.modelfile.shipped import PHOTO
from ..engine.runners.open_runner import available_choices
from ..engine.system.cores import usable_cores
from ..engine.system.escape import escaped
from ..engine.system.files import try_place
from ..engine.terms import Precision, TimedScope
from ..exits import one_line_errors, read_numbers
from .latency.turns import Rounds
from .machine.ceilings import count_work, measure_ceilings, torch_precisions
from .numbers.figures import latency_in
from .numbers.result import Report, SubjectResult
from .numbers.result_file import write_result
from .numbers.wording import ABSENT, share
from .report.tables import memory_table
from .run.measurement import Measurement
from .run.run_bench import choose_reference, run_bench
from .subjects.checkpoint_options import CheckpointOptions
from .subjects.find_subjects import find_subjects
from .subjects.naive_export import open_naive, write_naive
from .subjects.subject import Subject

SCOPE: TimedScope = "kernel"  # the network, whose work is counted


def cpu_subjects(
    checkpoint: Path,
    models: Sequence[Path],
    options: CheckpointOptions,
    folder: Path,
    *,
    threads: int,
    compiled: bool = True,
) -> list[Subject]:
    """Return torch in float32 and bf16, and the naive export and each model file in each runner and precision.

    Args:
        checkpoint: Source of the model files.
        models: Static files of depthrt, of the options' size.
        options: How the checkpoint is read, with the size (H, W).
        folder: Where the naive export is written; it must outlive the subjects.
        threads: Of every subject.
        compiled: Whether torch.compile takes part, which needs a compiler and minutes.

    Raises:
        InputError: The size is not (H, W).
    """
    if not isinstance(options.size, tuple):
        raise InputError(f"size {options.size} found, expected HxW such as 518x518: a naive export has one size")
    file = folder / "naive.onnx"
    contract = write_naive(checkpoint, options, file)
    naive = [
        Subject(
            f"naive export {choice.runner} {choice.precision}",
            partial(open_naive, file, contract, choice),
            {"file": file.name, "threads": str(threads)},
            needs=(choice.runner, "cv2"),
        )
        for choice in available_choices(contract, threads)
    ]
    by_torch = find_subjects(
        [checkpoint],
        devices=["cpu"],
        threads=threads,
        checkpoint=options,
        precisions=torch_precisions(),
        compiled=compiled,
    )
    return [*by_torch, *naive, *find_subjects(models, devices=["cpu"], threads=threads)]


def with_ceilings(report: Report, ceilings: dict[Precision, float]) -> Report:
    """Return the report with the ceilings among its settings."""
    stated = {f"ceiling {name}": f"{value:.0f} GFLOP/s" for name, value in ceilings.items()}
    return replace(report, made=replace(report.made, settings={**report.made.settings, **stated}))


def with_shares(report: Report, work_gflop: float, ceilings: dict[Precision, float]) -> Report:
    """Return the report with GFLOP/s and the share of its precision's ceiling among each subject's facts."""
    return replace(report, subjects=tuple(_with_share(subject, work_gflop, ceilings) for subject in report.subjects))


def to_table(report: Report) -> str:
    """Return a line for each subject: median and 90th percentile, GFLOP/s, share of the ceiling, drift, peak memory."""
    return _aligned(
        [("subject", "ms", "p90", "GFLOP/s", "of ceiling", "drift", "peak MiB"), *map(_row, report.subjects)]
    )


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    rows = [tuple(map(escaped, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def _with_share(subject: SubjectResult, work_gflop: float, ceilings: dict[Precision, float]) -> SubjectResult:
    latency = latency_in(subject, SCOPE)
    if latency is None:
        return subject
    rate = work_gflop / latency.p50_ms.value * 1e3
    found = {"GFLOP/s": f"{rate:.0f}"}
    for precision, ceiling in ceilings.items():
        if subject.facts.get("precision") == precision:
            found["of ceiling"] = f"{rate / ceiling:.0%}"
    return replace(subject, facts={**subject.facts, **found})


def _row(subject: SubjectResult) -> tuple[str, ...]:
    latency = latency_in(subject, SCOPE)
    if subject.failure or latency is None:
        return (subject.name, subject.failure or "not measured", *[ABSENT] * 5)
    return (
        subject.name,
        f"{latency.p50_ms.value:.0f}",
        f"{latency.p90_ms.value:.0f}",
        subject.facts.get("GFLOP/s", ABSENT),
        subject.facts.get("of ceiling", ABSENT),
        share(subject.drift.mean) if subject.drift else ABSENT,
        f"{subject.cold.peak_rss_mib:.0f}" if subject.cold else ABSENT,
    )


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.argument("models", nargs=-1, type=click.Path(path_type=Path))
@click.option("--size", default="518x518", show_default=True, metavar="HxW", help="Of the network's input.")
@click.option(
    "--images", multiple=True, type=click.Path(path_type=Path), help="Default: a photograph that comes with depthrt."
)
@click.option("--rounds", type=click.IntRange(2), default=10, show_default=True)
@click.option("--calls", type=click.IntRange(1), default=1, show_default=True, help="Timed calls in a turn.")
@click.option("--warmup-s", type=float, default=20.0, show_default=True, help="Longest warm-up of a subject.")
@click.option("--threads", type=click.IntRange(1), help="Default: the cores that this process may use.")
@click.option("--compile/--no-compile", "compiled", default=True, show_default=True)
@click.option("--cold", type=click.IntRange(0), default=1, show_default=True, help="Fresh processes, for memory.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The JSON to write.")
@one_line_errors
def main(
    checkpoint: Path,
    models: tuple[Path, ...],
    size: str,
    images: tuple[Path, ...],
    rounds: int,
    calls: int,
    warmup_s: float,
    threads: int | None,
    compiled: bool,
    cold: int,
    out: Path,
) -> None:
    """Measure CHECKPOINT in torch and as a naive export, and MODELS made of it, in turns; print a table."""
    try_place(out)
    sides_px = read_numbers(size, "x", example="518x518")
    if len(sides_px) != 2:
        raise InputError(f"size {size!r} found, expected HxW such as 518x518: a naive export has one size")
    options, threads = CheckpointOptions(size=(sides_px[0], sides_px[1])), threads or usable_cores()
    work_gflop, before = count_work(checkpoint, options), measure_ceilings(threads)
    turns = Rounds(count=rounds, calls=calls, scopes=(SCOPE,), warmup_s=warmup_s)
    with TemporaryDirectory() as folder:
        subjects = cpu_subjects(checkpoint, models, options, Path(folder), threads=threads, compiled=compiled)
        measured = run_bench(
            subjects,
            images or [PHOTO],
            Measurement(turns, frame_rate=None, loads=(), processes=cold, energy=False),
            reference=choose_reference(subjects, None),
            command=shlex.join(["python", "-m", "depthrt.bench.cpu", *sys.argv[1:]]),
            settings={
                "size": size,
                "rounds": f"{rounds} of {calls} calls",
                "work": f"{work_gflop:.1f} GFLOP",
            },
            on_step=lambda title, done, wanted: click.echo(f"{escaped(title)} {done}/{wanted}", err=True),
        )
    # Another process may have disturbed either measurement of the ceilings.
    ceilings = {name: max(value, before[name]) for name, value in measure_ceilings(threads).items()}
    report = with_shares(with_ceilings(measured.report, ceilings), work_gflop, ceilings)
    write_result(out, report)
    memory = memory_table(report)
    click.echo(to_table(report))
    click.echo(f"\n{memory.title}\n{_aligned([memory.columns, *memory.rows])}")
    click.echo(f"{work_gflop:.1f} GFLOP an image; ceilings {ceilings}; {escaped(' '.join(report.warnings))}", err=True)


if __name__ == "__main__":
    main()

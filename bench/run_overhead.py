"""The cost of reading and writing: `depthrt run` over a folder against pure inference of the same images.

python -m depthrt.bench.run_overhead model.onnx photos/ --images 100
"""

from __future__ import annotations

import itertools
import json
import platform
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

import click

from ..engine.errors import InputError
from ..engine.images.read import read_image
from ..engine.model.depth_model import DepthModel, Prepared, load
from ..engine.run.jobs import PLAIN, Job, make_jobs
from ..engine.run.run_images import run_images
from ..engine.run.sources import Source, find_sources
from ..engine.system.cores import usable_cores
from ..exits import one_line_errors

BLOCK_IMAGES = 10  # both take turns in blocks, so that a slow minute of the machine slows both


@dataclass(frozen=True, slots=True)
class Overhead:
    """Seconds for the same images by `depthrt run` and by pure inference, of one block or of all."""

    images: int
    run_s: float
    pure_s: float

    @property
    def ratio(self) -> float:
        """Time of `depthrt run` over pure inference."""
        return self.run_s / self.pure_s


def measure(model: DepthModel, sources: list[Source], folder: Path) -> list[Overhead]:
    """Time each block of sources with decoding and writing, and its inference without."""
    jobs = make_jobs(sources, folder, ("color",))
    _drain(model, jobs[:2])  # warm-up
    blocks: list[Overhead] = []
    for first in range(0, len(jobs), BLOCK_IMAGES):
        block = jobs[first : first + BLOCK_IMAGES]
        prepared = [model.prepare(read_image(job.source.name)) for job in block]
        if len(blocks) % 2:
            pure_s, run_s = _seconds(partial(_infer, model, prepared)), _seconds(partial(_drain, model, block))
        else:
            run_s, pure_s = _seconds(partial(_drain, model, block)), _seconds(partial(_infer, model, prepared))
        blocks.append(Overhead(len(block), run_s, pure_s))
    return blocks


def _drain(model: DepthModel, jobs: list[Job]) -> None:
    for outcome in run_images(model, jobs, style=PLAIN):
        if outcome.error is not None:
            raise outcome.error


def _infer(model: DepthModel, prepared: list[Prepared]) -> None:
    for image in prepared:
        model.run(image)


def _seconds(work: Callable[[], None]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


@click.command()
@click.argument("model_path", type=click.Path(path_type=Path))
@click.argument("photos", nargs=-1, required=True)
@click.option(
    "--images",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Number of images; the photographs are repeated.",
)
@one_line_errors
def main(model_path: Path, photos: tuple[str, ...], images: int) -> None:
    """Print the time of a whole run over pure inference; the goal is at most 1.1."""
    found = [source for source in find_sources(photos) if source.kind == "image"]
    if not found:
        raise InputError(f"no image in {', '.join(photos)}; give images, folders or patterns")
    sources = list(itertools.islice(itertools.cycle(found), images))
    with load(model_path, device="cpu") as model, tempfile.TemporaryDirectory() as folder:
        blocks = measure(model, sources, Path(folder))
    total = Overhead(images, sum(block.run_s for block in blocks), sum(block.pure_s for block in blocks))
    ratios = sorted(block.ratio for block in blocks)
    report = {
        "model": model.contract.model,
        "machine": f"{platform.machine()}, {usable_cores()} cores, {platform.platform()}",
        "ratio": total.ratio,
        "ratio_median_of_blocks": statistics.median(ratios),
        "ratio_worst_block": ratios[-1],
        "total": asdict(total),
        "blocks": [asdict(block) for block in blocks],
    }
    click.echo(json.dumps(report, indent=1))
    click.echo(
        f"run {total.run_s:.1f} s, pure inference {total.pure_s:.1f} s: ratio {total.ratio:.3f} (goal 1.1)", err=True
    )


if __name__ == "__main__":
    main()

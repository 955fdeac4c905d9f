"""The age of depth when the camera is faster than the model: LatestFrame beside a queue of every frame.

python -m depthrt.bench.newest default --rate-hz 30 --busy-ms 200 --minutes 10
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from queue import SimpleQueue
from threading import Event, Thread
from time import monotonic, sleep

import click
import numpy as np
from numpy.typing import NDArray

from ..engine.depth.depth import Depth
from ..engine.images.read import read_image
from ..engine.model.depth_model import DepthModel, load
from ..engine.modelfile.shipped import PHOTO
from ..engine.run.latest.latest_frame import LatestFrame
from ..engine.system.cores import usable_cores
from ..exits import one_line_errors

QUEUE_S = 60.0  # most time of the queue, whose ages grow without an end

Image = NDArray[np.uint8]
Ages = list[tuple[float, float]]  # (time, age) of each depth, in seconds


@dataclass(frozen=True, slots=True)
class Part:
    """The ages of the depths of a part of a measurement, in milliseconds."""

    depths: int
    p50_ms: float
    p99_ms: float
    most_ms: float


def measure_newest(model: DepthModel, image: Image, *, rate_hz: float, busy_s: float, seconds: float) -> Ages:
    """Return the age of each depth of a LatestFrame."""
    ages: Ages = []
    start_s = monotonic()
    with LatestFrame(paced(image, rate_hz, seconds)) as source:
        for frame in source:
            depth = frame.stamped(busy(model, frame.image, busy_s))
            assert depth.provenance.age_ms is not None
            ages.append((monotonic() - start_s, depth.provenance.age_ms / 1e3))
    return ages


def measure_queue(model: DepthModel, image: Image, *, rate_hz: float, busy_s: float, seconds: float) -> Ages:
    """Return the age of each depth if every frame waits for its turn."""
    queue: SimpleQueue[float] = SimpleQueue()
    stopped = Event()

    def fill() -> None:
        for _ in paced(image, rate_hz, seconds):
            queue.put(monotonic())
            if stopped.is_set():
                return

    thread = Thread(target=fill, daemon=True)
    ages: Ages = []
    start_s = monotonic()
    thread.start()
    while monotonic() - start_s < seconds:
        arrived_s = queue.get()
        busy(model, image, busy_s)
        ages.append((monotonic() - start_s, monotonic() - arrived_s))
    stopped.set()
    thread.join()
    return ages


def paced(image: Image, rate_hz: float, seconds: float) -> Iterator[tuple[Image, int]]:
    """Yield an image with its number as its stamp, at a rate."""
    start_s = monotonic()
    for number in range(round(seconds * rate_hz)):
        sleep(max(start_s + number / rate_hz - monotonic(), 0))
        yield image, number


def busy(model: DepthModel, image: Image, busy_s: float) -> Depth:
    """Return the depth of an image, `busy_s` after the begin or later."""
    start_s = monotonic()
    depth = model.infer(image)
    sleep(max(start_s + busy_s - monotonic(), 0))
    return depth


def summary(ages: Ages, *, every_s: float) -> list[Part]:
    """Return the ages of each part of so many seconds."""
    parts: dict[int, list[float]] = {}
    for time_s, age_s in ages:
        parts.setdefault(int(time_s / every_s), []).append(age_s * 1e3)
    return [Part(len(part), *np.percentile(part, (50, 99, 100)).round(1).tolist()) for part in parts.values()]


@click.command()
@click.argument("model_path", default="default")
@click.option("--rate-hz", type=click.FloatRange(0.1, 1000), default=30.0, show_default=True, help="Of the camera.")
@click.option(
    "--busy-ms", type=click.FloatRange(0), default=200.0, show_default=True, help="Least time of an inference."
)
@click.option("--minutes", type=click.FloatRange(0.01), default=10.0, show_default=True)
@one_line_errors
def main(model_path: str, rate_hz: float, busy_ms: float, minutes: float) -> None:
    """Print the ages of the depths of a LatestFrame by minute, and those of a queue for contrast."""
    image = read_image(PHOTO)
    with load(model_path, device="cpu") as model:
        model.infer(image)  # warm-up
        seconds, every_s = 60 * minutes, min(60.0, 6 * minutes)
        options = {"rate_hz": rate_hz, "busy_s": busy_ms / 1e3}
        newest = measure_newest(model, image, seconds=seconds, **options)
        queued = measure_queue(model, image, seconds=min(seconds, QUEUE_S), **options)
    (whole,) = summary(newest, every_s=2 * seconds + every_s)
    report = {
        "model": model.contract.model,
        "machine": f"{platform.machine()}, {usable_cores()} cores, {platform.platform()}",
        "rate_hz": rate_hz,
        "busy_ms": busy_ms,
        "newest": asdict(whole),
        "newest_by_part": [asdict(part) for part in summary(newest, every_s=every_s)],
        "queue_by_part": [asdict(part) for part in summary(queued, every_s=every_s / 6)],
    }
    click.echo(json.dumps(report, indent=1))
    limit_ms = 1e3 / rate_hz + max(busy_ms, 0)
    click.echo(f"age p99 {whole.p99_ms:.0f} ms; a frame and {busy_ms:g} ms are {limit_ms:.0f} ms", err=True)


if __name__ == "__main__":
    main()

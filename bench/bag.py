"""The cost of reading and writing bags: `depthrt bag` over a bag of 640x480 images against inference of the same ones.

python -m depthrt.bench.bag default photos/ --images 120
"""

from __future__ import annotations

import itertools
import json
import platform
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from ..engine.errors import InputError
from ..engine.images.read import read_image
from ..engine.model.depth_model import DepthModel, load
from ..engine.run.sources import find_sources
from ..engine.system.cores import usable_cores
from ..exits import needs, one_line_errors

BLOCK_IMAGES = 20  # all take turns in blocks, so that a slow minute of the machine slows all
HEIGHT, WIDTH, RATE_HZ = 480, 640, 30
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Spent:
    """Time for some images: by the clock, and of all cores together, which a busy machine changes less."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Block:
    """Time for the same images: from bag to bag, by infer, and in the network alone."""

    images: int
    bag: Spent
    infer: Spent
    network: Spent


def measure(model: DepthModel, pictures: Sequence[Picture], folder: Path) -> list[Block]:
    """Time each block of images in the three ways, in turns.

    Args:
        folder: Of the bags, which are removed.
    """
    blocks: list[Block] = []
    _of_bag(model, pictures[:2], folder / "warm")
    for number, first in enumerate(range(0, len(pictures), BLOCK_IMAGES)):
        block = pictures[first : first + BLOCK_IMAGES]
        ways: list[Callable[[], Spent]] = [
            lambda: _of_bag(model, block, folder / str(number)),  # noqa: B023 (called before the next block)
            lambda: _of_infer(model, block),  # noqa: B023
            lambda: _of_network(model, block),  # noqa: B023
        ]
        turn = number % len(ways)
        order = [*range(turn, len(ways)), *range(turn)]
        found = {way: ways[way]() for way in order}
        blocks.append(Block(len(block), found[0], found[1], found[2]))
    return blocks


def _of_bag(model: DepthModel, pictures: Sequence[Picture], folder: Path) -> Spent:
    """Return the time from the moment when a bag is open to the moment when the bag with depth is whole."""
    from ..robots.bag import depth_of_bag
    from ..robots.listener import BagListener
    from ..robots.reading.open_bag import open_bag
    from ..robots.request import BagRequest

    class Clock(BagListener):
        start = 0.0, 0.0

        def started(self, *_: object) -> None:
            self.start = perf_counter(), process_time()

    clock = Clock()
    source = write_bag(folder / "in", pictures)
    with open_bag(source) as bag:
        for outcome in depth_of_bag(bag, model, BagRequest(source, output=folder / "out"), clock):
            if outcome.error is not None:
                raise outcome.error
        return _since(clock.start)


def _of_infer(model: DepthModel, pictures: Sequence[Picture]) -> Spent:
    start = perf_counter(), process_time()
    for picture in pictures:
        model.infer(picture)
    return _since(start)


def _of_network(model: DepthModel, pictures: Sequence[Picture]) -> Spent:
    prepared = [model.prepare(picture) for picture in pictures]
    start = perf_counter(), process_time()
    for ready in prepared:
        model.run(ready)
    return _since(start)


def _since(start: tuple[float, float]) -> Spent:
    return Spent(perf_counter() - start[0], process_time() - start[1])


def write_bag(folder: Path, pictures: Sequence[Picture]) -> Path:
    """Write a bag of raw bgr8 images at 30 Hz; return its folder."""
    from rosbags.rosbag2 import StoragePlugin, Writer

    from ..robots.messages.types import Header, Image, Time, encode, typestore

    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        topic = writer.add_connection("/camera/image_raw", Image.__msgtype__, typestore=typestore())
        for number, picture in enumerate(pictures):
            time_ns = 10**18 + number * 10**9 // RATE_HZ
            header = Header(Time(time_ns // 10**9, time_ns % 10**9), "camera")
            height, width = picture.shape[:2]
            message = Image(header, height, width, "bgr8", 0, 3 * width, picture.reshape(-1))
            writer.write(topic, time_ns, encode(message))
    return folder


def find_pictures(photos: Sequence[str], count: int) -> list[Picture]:
    """Return `count` pictures of the size, of photographs that are repeated.

    Raises:
        InputError: There is no photograph.
    """
    found = [source for source in find_sources(photos) if source.kind == "image"]
    if not found:
        raise InputError(f"no image in {', '.join(photos)}; give images, folders or patterns")
    size = (WIDTH, HEIGHT)  # (w, h), as OpenCV has it
    pictures = [np.asarray(cv2.resize(read_image(one.name), size), np.uint8) for one in found[:count]]
    return list(itertools.islice(itertools.cycle(pictures), count))


@click.command()
@click.argument("model_path", type=click.Path(path_type=Path))
@click.argument("photos", nargs=-1, required=True)
@click.option(
    "--images", type=click.IntRange(1), default=120, show_default=True, help="Number; the photographs are repeated."
)
@one_line_errors
def main(model_path: Path, photos: tuple[str, ...], images: int) -> None:
    """Print the time from bag to bag over the time of infer for the same images; the goal is at most 1.1."""
    with needs("robots"):
        from ..robots import bag  # noqa: F401
    pictures = find_pictures(photos, images)
    with load(model_path, device="cpu") as model, tempfile.TemporaryDirectory() as folder:
        blocks = measure(model, pictures, Path(folder))
    report = {
        "model": model.contract.model,
        "machine": f"{platform.machine()}, {usable_cores()} cores, {platform.platform()}",
        "image_px": [HEIGHT, WIDTH],
        "ratio_to_infer": sum(block.bag.wall_s for block in blocks) / sum(block.infer.wall_s for block in blocks),
        "ratio_to_infer_median_of_blocks": median(block.bag.wall_s / block.infer.wall_s for block in blocks),
        "ratio_to_infer_cpu": sum(block.bag.cpu_s for block in blocks) / sum(block.infer.cpu_s for block in blocks),
        "ratio_to_network": sum(block.bag.wall_s for block in blocks) / sum(block.network.wall_s for block in blocks),
        "blocks": [asdict(block) for block in blocks],
    }
    click.echo(json.dumps(report, indent=1))
    click.echo(f"bag to bag over infer: {report['ratio_to_infer']:.3f} (goal 1.1)", err=True)


if __name__ == "__main__":
    main()

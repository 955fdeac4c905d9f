"""The service under load beside the bare engine, and beside the study's way of serving.

python -m depthrt.bench.serving photos/ -o serving.json --study

The service is `depthrt serve` in its own process on this machine; clients are threads of this process, connected by
loopback. The bare engine is a loop in this process over the same encoded images: read_image, DepthModel's three stages,
Depth.encode into the body that the service answers. Both take turns in blocks, so that a slow minute slows both.
"""

from __future__ import annotations

import shlex
import sys
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import click

from ..engine.model.depth_model import load
from ..engine.modelfile.shipped import DEFAULT
from ..engine.system.cores import usable_cores
from ..engine.system.files import try_place
from ..exits import one_line_errors, read_numbers
from .load.bare_engine import bare_answer
from .load.batches import measure_batches
from .load.blocks import WARM_ANSWERS, Watched, measure_blocks
from .load.figures import clients_cpu_ms, figures_of, joined, memory_of, rates_of
from .load.load_table import batch_rows, load_rows, memory_line, rate_rows, ratio_line, way_rows
from .load.requests import FORMS, Form, make_request, read_photos
from .load.server_process import open_server
from .load.study_way import NETWORKS, Network, measure_ways
from .machine.describe import describe_machine, describe_run
from .numbers.printable import write_json

COMPARED = {
    "service": "depthrt serve in its own process; HTTP over loopback; clients are threads of the measuring process",
    "bare engine": "a loop over the same encoded images: read_image, DepthModel.prepare, run and finish, Depth.encode "
    "into the body that the service answers; no HTTP; the network runs one image at a time",
    "study": "weights read from the file system's cache and the network built for every request, torch in float32, "
    "PNG; no HTTP, which favours the study; random weights in the published layout; depthrt serve: a warm request of "
    "the study's form on a new connection, the whole PNG received",
}


@click.command()
@click.argument("photos", nargs=-1)
@click.option("-m", "--model", default=DEFAULT, show_default=True, help="A model file.")
@click.option("--clients", type=click.IntRange(1), default=32, show_default=True, help="That ask at once.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    help="Of load, in all blocks.",
)
@click.option("--blocks", type=click.IntRange(1), default=6, show_default=True, help="Turns of service and engine.")
@click.option("--requests", "at_least", type=click.IntRange(1), default=2000, show_default=True, help="For memory.")
@click.option("--sweep", default="1,2,4,8,16,32,64", show_default=True, help="Numbers of clients; '' leaves it out.")
@click.option("--sweep-seconds", type=click.FloatRange(0, min_open=True), default=15.0, show_default=True, help="Each.")
@click.option(
    "--form",
    type=click.Choice(FORMS),
    default=FORMS[0],
    show_default=True,
    help="npy: /v1/depth; form: the study's /infer.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Of the service, and threads of the bare engine.",
)
@click.option("--threads", type=click.IntRange(1), help="Of the network. Default: the usable cores.")
@click.option(
    "--rounds", type=click.IntRange(1), default=10, show_default=True, help="Of batches and of the study's way."
)
@click.option("--study", is_flag=True, help="Measure the study's way of serving too; needs depthrt[export].")
@click.option(
    "--network",
    type=click.Choice(NETWORKS),
    default=NETWORKS[0],
    show_default=True,
    help="Of the study's way, with random weights; vitl is the study's.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
@one_line_errors
def main(
    photos: tuple[str, ...],
    model: str,
    clients: int,
    seconds: float,
    blocks: int,
    at_least: int,
    sweep: str,
    sweep_seconds: float,
    form: Form,
    workers: int,
    threads: int | None,
    rounds: int,
    study: bool,
    network: Network,
    out: Path,
) -> None:
    """Measure the service with PHOTOS (default: the photograph that comes with depthrt) and print what it costs."""
    started, start_s = datetime.now(timezone.utc), monotonic()
    try_place(out)
    numbers = read_numbers(sweep, ",", example="1,2,4") if sweep else ()
    images = read_photos(photos)
    options = ["-m", f"default={model}", "--device", "cpu", "--workers", str(workers)]
    options += ["--threads", str(threads)] if threads else []
    with ExitStack() as stack:
        opened = stack.enter_context(load(model, device="cpu", threads=threads))
        watched = Watched(stack.enter_context(open_server(options)), [make_request(image, form) for image in images])
        watched.run(1, at_least=WARM_ANSWERS)
        answer = bare_answer(opened, form)
        turns = list(
            measure_blocks(
                watched, answer, images, clients=clients, workers=workers, blocks=blocks, block_s=seconds / blocks
            )
        )
        swept = [figures_of(watched.run(number, seconds=sweep_seconds)) for number in numbers]
        watched.run(clients, at_least=at_least - watched.answers)
        memory = memory_of(watched.samples, watched.server.peak_mib())
        batches = measure_batches(opened, images[0], rounds=rounds)
    ways = measure_ways(network, images[0], threads=threads, rounds=rounds) if study else []
    whole = joined([turn.load for turn in turns])
    ratio = median(turn.ratio for turn in turns)
    service, rates = figures_of(whole, per_second=median(turn.load.per_second for turn in turns)), rates_of(turns)
    settings = {"clients": clients, "seconds": seconds, "blocks": blocks, "form": form, "workers": workers,
                "threads": threads or usable_cores(), "images": len(images), "rounds": rounds}  # fmt: skip
    result: dict[str, Any] = {
        "machine": asdict(describe_machine()),
        "made": asdict(
            describe_run(
                shlex.join(["python", "-m", "depthrt.bench.serving", *sys.argv[1:]]),
                {name: str(value) for name, value in settings.items()},
                started=started,
                took_s=monotonic() - start_s,
            )
        ),
        "compared": COMPARED,
        "service": asdict(service),
        "rates": {name: asdict(found) for name, found in rates.items()},
        "clients_cpu_ms": clients_cpu_ms(whole),
        "ratio": ratio,
        "ratio_of_blocks": [turn.ratio for turn in turns],
        "whole_run": asdict(figures_of(joined(watched.loads), per_second=0)),
        "memory": {**asdict(memory), "growth": memory.growth},
        "sweep": [*map(asdict, swept)],
        "batches": [*map(asdict, batches)],
        "study": [{**asdict(way), "median_ms": way.median_ms} for way in ways],
    }
    write_json(out, result)
    parts = [
        load_rows([service]),
        rate_rows(rates),
        ratio_line(ratio),
        memory_line(memory),
        load_rows(swept) if swept else "",
        batch_rows(batches),
        way_rows(ways) if ways else "",
    ]
    click.echo("\n\n".join(filter(None, parts)))


if __name__ == "__main__":
    main()

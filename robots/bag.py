"""A bag in, a bag with depth out: each image's depth under the image's own stamp and frame."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import fields, replace
from itertools import count, islice
from pathlib import Path

from ..engine.depth.depth import Depth
from ..engine.errors import InputError
from ..engine.model.depth_model import DepthModel, load
from ..engine.runners.canary_check import ask_canary
from ..engine.system.field_types import printable
from ..engine.system.files import check_named, make_folder
from ..engine.system.process.overlap import Outcome, overlap
from ..engine.terms import MEANINGS
from ..engine.version import __version__
from .listener import BagListener
from .messages.pictures import IMAGE_TYPES
from .plan import Plan, make_plan
from .reading.bag import Bag
from .reading.open_bag import open_bag
from .request import BagRequest
from .steps import Step, Steps
from .work import End, Work
from .writing.bag_writer import BagWriter, UnwritableBag
from .writing.metadata_file import Part, read_metadata
from .writing.record import BagRecord, Made

# Of an image, by its number from 0; None: of a bag that was not read to its end.
BagOutcome = Outcome[int | None, Depth]


def depth_bag(request: BagRequest, listener: BagListener | None = None) -> Generator[BagOutcome]:
    """Yield the outcome of each image, by its number; at the end that of a bag which could not be read to its end.

    Everything that can be refused is refused before the first image is read; after that, bad images yield their error
    and the run goes on. A run that is closed or interrupted leaves a whole bag of the images so far, which another run
    with `resume` finishes. Nothing happens before the first outcome is asked for.

    Raises:
        InputError: The bag, its topics or the output cannot be used.
        DepthrtError: The model cannot be loaded; see `load`.
    """
    earlier = _earlier(Path(request.output), resume=request.resume)
    with (
        open_bag(Path(request.source)) as bag,
        load(request.model, device=request.device, threads=request.threads, limits=request.limits) as model,
    ):
        yield from depth_of_bag(bag, model, request, listener or BagListener(), earlier)


def depth_of_bag(
    bag: Bag,
    model: DepthModel,
    request: BagRequest,
    listener: BagListener,
    earlier: tuple[BagRecord, list[Part]] | None = None,
) -> Generator[BagOutcome]:
    """Yield what depth_bag does, of a bag that is open and by a model that is loaded.

    Args:
        earlier: Record and files of the run that is resumed; None for a new bag.
    """
    plan = make_plan(bag, request, model.contract)
    made = _made(bag, request, plan, model)
    record, parts = earlier or (_begun(made, model), [])
    _check_same(record.made, made, Path(request.output))
    listener.started(model, plan, record)
    if record.finished:
        listener.ended(record)
        return
    yield from _fill(request, bag, model, plan, record, parts, listener)


def _fill(
    request: BagRequest,
    bag: Bag,
    model: DepthModel,
    plan: Plan,
    record: BagRecord,
    parts: list[Part],
    listener: BagListener,
) -> Generator[BagOutcome]:
    """Do the steps that are left, and end the bag whatever happens."""
    folder = Path(request.output)
    is_new = not folder.exists()
    make_folder(folder)
    writer = BagWriter(folder, plan.written, earlier=parts)
    work = Work(model, plan, request, writer, _steps(bag, plan, done=record.steps), record)
    number = record.images + record.failed
    try:
        with closing(overlap(count(), read=work.read, run=work.run, write=work.write)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome.error, End):
                    break
                if isinstance(outcome.error, UnwritableBag):
                    raise outcome.error
                if outcome.result is not None or outcome.error is not None:
                    yield Outcome(number, outcome.result, outcome.error)
                    number += 1
    except UnwritableBag:
        _give_up(writer, folder if is_new else None)
        raise
    except BaseException:
        if work.record.steps == record.steps:  # nothing was written
            _give_up(writer, folder if is_new else None)
        else:
            writer.close(work.record, work.facts)
            listener.ended(work.record)
        raise
    final = replace(work.record, finished=True, flaw=printable(bag.flaw or ""))
    writer.close(final, work.facts)
    if bag.flaw is not None:
        yield Outcome(None, None, InputError(bag.flaw))
    listener.ended(final)


def _give_up(writer: BagWriter, folder: Path | None) -> None:
    """Remove the file that has begun, and a folder that is empty then."""
    writer.abort()
    if folder is not None:
        with suppress(OSError):  # it holds files
            folder.rmdir()


def _steps(bag: Bag, plan: Plan, *, done: int) -> Iterator[Step]:
    """Return the steps of a bag that are left."""
    steps = Steps(
        bag.records(plan.read),
        image_topic=plan.image.name,
        image_type=IMAGE_TYPES[plan.image.type],
        camera_topic=None if plan.camera is None else plan.camera.name,
        copied={topic.name for topic in plan.copied},
        first_camera=plan.first_camera,
    )
    return islice(steps, done, None)


def _earlier(folder: Path, *, resume: bool) -> tuple[BagRecord, list[Part]] | None:
    """Return what an earlier run has written, if the run goes on with it."""
    check_named(folder, "output")
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    if not resume:
        raise InputError(f"{folder} exists; give another folder with -o, go on with --resume, or remove it")
    return read_metadata(folder)


def _made(bag: Bag, request: BagRequest, plan: Plan, model: DepthModel) -> Made:
    """Return with what the depth is made."""
    return Made(
        source=printable(str(request.source)),
        source_messages=sum(topic.messages for topic in bag.topics.values()),
        image_topic=printable(plan.image.name),
        camera_info_topic=None if plan.camera is None else printable(plan.camera.name),
        depth_topic=printable(plan.depth.name),
        kind=plan.kind,
        unit="m" if MEANINGS[plan.kind].unit else "",
        encoding=request.encoding,
        contract_sha256=hashlib.sha256(model.contract.to_json().encode()).hexdigest(),
        points=request.points,
        copied=request.copy,
        rectified=request.rectify,
        gate=request.gate,
    )


def _begun(made: Made, model: DepthModel) -> BagRecord:
    """Return the record of a new bag."""
    producer, no_floor = f"depthrt {__version__}", None if made.gate is None else 0
    drift = ask_canary(model.runner, model.contract).drift
    return BagRecord(made=made, producer=producer, drift=drift, no_floor=no_floor)


def _check_same(found: Made, wanted: Made, folder: Path) -> None:
    """Refuse to go on with a bag that is made of another bag, by another model or with other options."""
    for field in fields(Made):
        before, now = getattr(found, field.name), getattr(wanted, field.name)
        if before != now:
            raise InputError(
                f"{folder} was made with {field.name} {before!r:.80}, {now!r:.80} found; give the same options, or "
                "another folder with -o"
            )

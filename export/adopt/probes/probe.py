"""Probes before trust: a file in our convention is run on pictures whose depth is known, before it gets its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ....engine.errors import ModelFileError
from ....engine.images.read import read_image
from ....engine.modelfile.contract import Contract
from ....engine.modelfile.shipped import PHOTO
from ....engine.terms import OnStep
from .answers import probe_batch, probe_finite, probe_image, probe_repeat, probe_sizes
from .asked import Asked, ask
from .finding import Finding
from .meaning import probe_colours, probe_direction, probe_metres
from .rooms import Room, read_rooms


def probe(path: Path, contract: Contract, *, on_step: OnStep = lambda title, done, wanted: None) -> tuple[Finding, ...]:
    """Return what each probe found; blocks for about 30 runs of the network.

    Where the first fail, the later ones have no meaning and are left out.

    Args:
        path: A file in our convention; its contract need not stand in it.
        contract: Of the file.
        on_step: Called with (title, steps done, steps wanted).

    Raises:
        ModelFileError: ONNX Runtime refuses the file.
    """
    with ask(path, contract) as asked:
        return tuple(_findings(asked, read_rooms(), on_step))


def _findings(asked: Asked, rooms: tuple[Room, ...], on_step: OnStep) -> list[Finding]:
    images = [room.image for room in rooms]
    black, white = (np.full_like(images[0], value) for value in (0, 255))
    named = [
        *((f"rendered scene {number + 1}", image) for number, image in enumerate(images)),
        ("a photograph", read_image(PHOTO)),
        ("a black image", black),
        ("a white image", white),
    ]
    on_step("probe: answers", 0, 4)
    try:
        found = [(name, asked.answer(image)) for name, image in named]
    except ModelFileError as error:
        return [Finding("runs", False, f"it does not run as its contract says: {error}")]
    findings = [Finding("runs", True, f"it runs on {len(named)} pictures"), probe_finite(found)]
    answers = [answer for _, answer in found[: len(rooms)]]
    if not findings[-1].passed:
        return findings
    findings.append(probe_image(answers))
    if not findings[-1].passed:
        return findings
    findings.append(probe_repeat(answers[0], asked.answer(images[0])))
    on_step("probe: sizes and batch", 1, 4)
    findings += filter(None, (probe_sizes(asked, images, answers), probe_batch(asked, images[:2])))
    on_step("probe: meaning", 2, 4)
    direction = probe_direction(asked.contract, rooms, answers)
    findings += filter(None, (direction, probe_metres(asked, rooms, answers)))
    if direction.passed:
        on_step("probe: colours", 3, 4)
        findings.append(probe_colours(asked, rooms))
    return findings

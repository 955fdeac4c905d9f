"""The three stages of the work on a bag: a step is read and prepared, the network runs, messages are written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..engine.depth.depth import Depth
from ..engine.errors import DepthrtError
from ..engine.model.depth_model import Answer, DepthModel, Prepared
from .answers import Messages, messages_of, seen, warn_of_no_floor
from .messages.pictures import picture_of
from .messages.types import encode
from .plan import Plan
from .reading.bag import Record
from .request import BagRequest
from .steps import Step
from .views import Picture, View, Views
from .writing.bag_writer import BagWriter
from .writing.record import BagRecord


class End(Exception):
    """The bag has no further step."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A step that is prepared for the network; of `prepared` and `error` one is None, both of a step without an image.

    Args:
        view: None if there is no camera.
    """

    step: Step
    picture: Picture | None = None
    view: View | None = None
    prepared: Prepared | None = None
    error: DepthrtError | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """A step whose network has run; `answer` is None if there is no image, or an error."""

    ready: Ready
    answer: Answer | None
    error: DepthrtError | None


class Work:
    """The stages, each for a thread; they share nothing but what is here.

    Args:
        steps: Those that are left.
        record: Of the bag so far.
    """

    def __init__(
        self,
        model: DepthModel,
        plan: Plan,
        request: BagRequest,
        writer: BagWriter,
        steps: Iterator[Step],
        record: BagRecord,
    ) -> None:
        self._model, self._plan, self._request, self._writer, self._steps = model, plan, request, writer, steps
        needed = model.contract.focal_unit_px is not None or request.points or request.rectify
        self._views = Views(rectified=plan.rectified, rectify=request.rectify, needed=needed)
        self.record = record
        self.facts = {"contract": model.contract.to_json(), "drift": f"{record.drift:.3g}"}

    def read(self, number: int) -> Ready:
        """Read and prepare the next step.

        Raises:
            End: There is none.
        """
        step = next(self._steps, None)
        if step is None:
            raise End
        if step.image is None:
            return Ready(step, error=step.error)
        try:
            picture = picture_of(step.image, limits=self._model.limits)
            picture, view = self._views.look(picture, step.camera, step.image.header)
            camera = None if view is None else view.intrinsics
            return Ready(step, picture, view, self._model.prepare(picture, camera=camera))
        except DepthrtError as error:
            return Ready(step, error=error)

    def run(self, ready: Ready) -> Ran:
        """Run the network."""
        if ready.prepared is None:
            return Ran(ready, None, ready.error)
        try:
            return Ran(ready, self._model.run(ready.prepared), None)
        except DepthrtError as error:
            return Ran(ready, None, error)

    def write(self, ran: Ran) -> Depth | None:
        """Write the messages of a step; return its depth, None for a step without an image.

        Raises:
            DepthrtError: The image has no depth; what is copied with it is written.
        """
        step, error, depth = ran.ready.step, ran.error, None
        records = list(step.copied)
        if ran.answer is not None:
            try:
                depth = seen(self._model.finish(ran.answer), ran.ready.view)
                records += self._records(ran.ready, depth)
            except DepthrtError as found:
                error = found
        self.record = replace(
            self.record,
            steps=self.record.steps + 1,
            images=self.record.images + (error is None and depth is not None),
            failed=self.record.failed + (error is not None),
        )
        if depth is not None:
            self.facts.setdefault("provenance", json.dumps(depth.provenance.to_dict()))
        self._writer.write(records, self.record, self.facts)
        if error is not None:
            raise error
        return depth

    def _records(self, ready: Ready, depth: Depth) -> list[Record]:
        """Return the messages of a depth, at the time of its image."""
        record, image, plan = ready.step.record, ready.step.image, self._plan
        assert record is not None and image is not None
        made = messages_of(
            depth,
            ready.picture,
            ready.view,
            image.header,
            encoding=self._request.encoding,
            info=plan.info is not None,
            points=plan.points is not None,
            gate=self._request.gate,
        )
        self._note(made)
        pairs = ((plan.depth, made.depth), (plan.info, made.info), (plan.points, made.points))
        return [
            Record(topic.name, record.time_ns, encode(message))
            for topic, message in pairs
            if topic is not None and message is not None
        ]

    def _note(self, made: Messages) -> None:
        """Record where the gate finds its first floor, and how often none; say the latter once."""
        if made.note:
            self.facts.setdefault("gate", made.note)
        if made.no_floor:
            if not self.record.no_floor:
                warn_of_no_floor(made.no_floor)
            self.record = replace(self.record, no_floor=(self.record.no_floor or 0) + 1)

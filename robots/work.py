"""The three stages of the work on a bag: a step is read and prepared, the network runs, messages are written."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..engine.depth.depth import Depth
from ..engine.depth.intrinsics import Intrinsics
from ..engine.depth.rectify import Rectification
from ..engine.errors import DepthrtError, InputError
from ..engine.model.depth_model import Answer, DepthModel, Prepared
from .messages.camera import info_of_image, intrinsics_of
from .messages.depth_image import depth_image, values_of
from .messages.pictures import picture_of
from .messages.points import cloud_message
from .messages.types import CameraInfo, encode
from .plan import Plan
from .reading.bag import Record
from .request import BagRequest
from .steps import Step
from .writing.bag_writer import BagWriter
from .writing.record import BagRecord

logger = logging.getLogger("depthrt")

Picture = NDArray[np.uint8]


class End(Exception):
    """The bag has no further step."""


@dataclass(frozen=True, slots=True)
class View:
    """What is known of the camera of a picture.

    Args:
        info: The CameraInfo of the picture's own size, with its header.
        intrinsics: Its pinhole camera.
        inside: Pixels of the picture that the camera saw, (H, W); None for all: straightening leaves edges empty.
    """

    info: CameraInfo
    intrinsics: Intrinsics
    inside: NDArray[np.bool_] | None = None


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
        self._rectifications: dict[bytes, Rectification] = {}
        self._warned = False
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
            view = self._view(step, (picture.shape[0], picture.shape[1]))
            if view is not None and self._request.rectify:
                picture, view = self._straighten(step, picture, view)
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
                depth = _seen(self._model.finish(ran.answer), ran.ready.view)
                records += self._messages(ran.ready, depth)
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

    def _view(self, step: Step, image_px: tuple[int, int]) -> View | None:
        """Return what is known of the camera of a picture; None for nothing.

        A CameraInfo of images of another aspect counts only if the run cannot do without.
        """
        if step.camera is None or step.image is None:
            return None
        try:
            intrinsics = intrinsics_of(step.camera, image_px, rectified=self._plan.rectified)
            return View(info_of_image(step.camera, image_px, step.image.header), intrinsics)
        except InputError as error:
            needed = self._model.contract.focal_unit_px is not None
            if needed or self._request.points or self._request.rectify:
                raise
            if not self._warned:
                self._warned = True
                logger.warning("depthrt: depth is written without a CameraInfo: %s", error)
            return None

    def _straighten(self, step: Step, picture: Picture, view: View) -> tuple[Picture, View]:
        """Take the lens's distortion out of a picture."""
        info = view.info
        key = b"".join(array.tobytes() for array in (info.d, info.k, info.r, info.p)) + repr(picture.shape).encode()
        if key not in self._rectifications:
            self._rectifications = {key: Rectification(info)}  # of the last camera only
        found = self._rectifications[key]
        assert step.camera is not None
        straight = info_of_image(step.camera, (info.height, info.width), info.header, straightened=True)
        return found.apply(picture), View(straight, found.camera, found.inside)

    def _messages(self, ready: Ready, depth: Depth) -> list[Record]:
        """Return the messages of a depth, at the time of its image."""
        record, image, plan = ready.step.record, ready.step.image, self._plan
        assert record is not None and image is not None
        encoding = self._request.encoding
        found = [Record(plan.depth.name, record.time_ns, encode(depth_image(depth, image.header, encoding=encoding)))]
        if plan.info is not None and ready.view is not None:
            found.append(Record(plan.info.name, record.time_ns, encode(ready.view.info)))
        if plan.points is not None:
            known = replace(depth, valid=np.isfinite(values_of(depth)))  # neither sky nor what is beyond the range
            points = cloud_message(known.cloud(image=ready.picture), image.header)
            found.append(Record(plan.points.name, record.time_ns, encode(points)))
        return found


def _seen(depth: Depth, view: View | None) -> Depth:
    """Return a depth that is unknown where the camera saw nothing."""
    if view is None or view.inside is None:
        return depth
    return replace(depth, values=np.where(view.inside, depth.values, np.float32(np.nan)))

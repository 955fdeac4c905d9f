"""The three stages of the work on a bag: a step is read and prepared, the network runs, messages are written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..engine.depth.depth import Depth
from ..engine.errors import DepthrtError
from ..engine.model.depth_model import Answer, DepthModel, Prepared
from .messages.camera import info_of_image, intrinsics_of, rectified_info, rectifier
from .messages.depth_image import depth_image
from .messages.pictures import picture_of
from .messages.types import CameraInfo, encode
from .plan import Plan
from .reading.bag import Record
from .request import BagRequest
from .steps import Step
from .writing.bag_writer import BagWriter
from .writing.record import BagRecord

Picture = NDArray[np.uint8]


class End(Exception):
    """The bag has no further step."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A step that is prepared for the network; of `prepared` and `error` one is None, both of a step without an image.

    Args:
        camera: Of the picture's own size; None if there is none.
    """

    step: Step
    picture: Picture | None = None
    camera: CameraInfo | None = None
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
        self._rectifiers: dict[bytes, Callable[[Picture], Picture]] = {}
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
            camera = self._camera(step, (picture.shape[0], picture.shape[1]))
            if camera is not None and self._request.rectify:
                picture, camera = self._rectify(picture, camera)
            return Ready(step, picture, camera, self._model.prepare(picture, focal_px=self._focal_px(camera)))
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
                depth = self._model.finish(ran.answer)
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

    def _camera(self, step: Step, image_px: tuple[int, int]) -> CameraInfo | None:
        """Return the CameraInfo of a picture at its own size, with its header."""
        if step.camera is None or step.image is None:
            return None
        return info_of_image(step.camera, image_px, header=step.image.header)

    def _focal_px(self, camera: CameraInfo | None) -> float | None:
        """Return the focal length for a model that needs it."""
        if camera is None or self._model.contract.focal_unit_px is None:
            return None
        return intrinsics_of(camera, rectified=self._plan.rectified).fx_px

    def _rectify(self, picture: Picture, camera: CameraInfo) -> tuple[Picture, CameraInfo]:
        key = (
            b"".join(array.tobytes() for array in (camera.d, camera.k, camera.r, camera.p))
            + repr(picture.shape).encode()
        )
        if key not in self._rectifiers:
            self._rectifiers = {key: rectifier(camera)}  # of the last camera only
        return self._rectifiers[key](picture), rectified_info(camera)

    def _messages(self, ready: Ready, depth: Depth) -> list[Record]:
        """Return the messages of a depth, at the time of its image."""
        record, image, plan = ready.step.record, ready.step.image, self._plan
        assert record is not None and image is not None
        encoding = self._request.encoding
        found = [Record(plan.depth.name, record.time_ns, encode(depth_image(depth, image.header, encoding=encoding)))]
        if plan.info is not None and ready.camera is not None:
            found.append(Record(plan.info.name, record.time_ns, encode(ready.camera)))
        return found

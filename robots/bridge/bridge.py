"""A live topic of images in, topics with their depth out: always the newest image, under its own stamp and frame."""

from __future__ import annotations

from threading import Event, Thread
from time import monotonic, time

import numpy as np

from ...engine.errors import DepthrtError, InputError
from ...engine.model.depth_model import load
from ...engine.system.closable import Closable
from ...engine.system.field_types import printable
from ..answers import Messages, messages_of, seen, warn_of_no_floor
from ..messages.pictures import IMAGE_TYPES, picture_of
from ..messages.types import CameraInfo, CompressedImage, Header, Image, PointCloud2
from ..views import Views, sees_straight, warn_of_distortion
from .inbox import Arrived, Inbox
from .listener import BridgeListener, Status
from .request import BridgeRequest, Topics, topics_of
from .session import Publisher, Session
from .tally import Tally

STATUS_S = 1.0
SILENT_S = 2.0  # without an image, after which a status says why
_MOST_SAID = 20  # different errors that are reported
_JOIN_S = 5.0


class Bridge(Closable):
    """Gives depth to a topic, in the dialect of rmw_zenoh; a context manager.

        with Bridge(BridgeRequest("/front/image_raw")) as bridge:
            bridge.run()  # until stop() is called, from another thread or the handler of a signal

    Images that come while one is worked on replace each other, so that the age of a depth is at most the time between
    two images and that of an inference. A topic on which nothing comes, a router that is away and a publisher that
    starts again are no errors: the bridge waits, and its status says for what.

    Raises:
        InputError: Topics or options cannot be used, or Zenoh cannot open a session.
        DepthrtError: The model cannot be loaded; see `load`.
    """

    def __init__(self, request: BridgeRequest, listener: BridgeListener | None = None) -> None:
        self._request, self._listener = request, listener or BridgeListener()
        self._model = load(request.model, device=request.device, threads=request.threads, limits=request.limits)
        try:
            kind = self._model.contract.kind_for(1.0)  # a model that needs a camera for metres waits for it
            self.topics = topics_of(request, kind)
            self._session = Session(request)
        except BaseException:
            self._model.close()
            raise
        self._images: Inbox[Image | CompressedImage] = Inbox(self._session, self.topics.image, IMAGE_TYPES)
        self._cameras = Inbox(self._session, self.topics.camera, {CameraInfo.__msgtype__: CameraInfo})
        self._publishers = _publishers(self._session, self.topics)
        self._camera: CameraInfo | None = None
        self._views: Views | None = None  # until the first CameraInfo
        self._said: set[str] = set()
        self._said_no_floor = False
        self._begun_s = monotonic()
        self._tally = Tally(self._begun_s)
        self._stopped = Event()
        self._unreported: Exception | None = None  # what a status could not be reported for

    def run(self) -> None:
        """Publish the depth of the newest image each time, until `stop`; blocks.

        An error of the listener, such as a pipe that was closed, ends it and is raised.
        """
        self._listener.started(self._model, self.topics, self._session.where)
        reporter = Thread(target=self._report, name="depthrt-status", daemon=True)
        reporter.start()
        try:
            while not self._stopped.is_set():
                self._answer()
        finally:
            self.stop()
            reporter.join(_JOIN_S)
            if self._unreported is not None:
                raise self._unreported
            self._listener.ended(self._tally.total(monotonic(), self._images.arrivals))

    def stop(self) -> None:
        """Make the image that is worked on the last; from any thread, and from the handler of a signal."""
        self._stopped.set()
        self._images.stop()

    def close(self) -> None:
        """Stop, and free the session and the model; after `run` has returned, or before it is called."""
        self.stop()
        self._session.close()
        self._model.close()

    def _answer(self) -> None:
        """Publish the depth of the newest image; wait a second at most for one."""
        try:
            arrived = self._images.take(STATUS_S)
            if arrived is not None:
                self._publish(arrived)
        except DepthrtError as error:
            self._tally.fail()
            self._say(error)

    def _publish(self, arrived: Arrived[Image | CompressedImage]) -> None:
        header = arrived.message.header
        made = self._depth(arrived.message)
        for publisher, message in zip(self._publishers, (made.depth, made.info, made.points), strict=True):
            if publisher is not None and message is not None:
                publisher.put(message)
        age_ms = (monotonic() - arrived.arrived_s) * 1e3
        self._tally.publish(age_ms, _stamp_age_ms(header), no_floor=bool(made.no_floor))
        if made.no_floor and not self._said_no_floor:
            self._said_no_floor = True
            warn_of_no_floor(made.no_floor)

    def _depth(self, image: Image | CompressedImage) -> Messages:
        picture = picture_of(image, limits=self._model.limits)
        camera = self._newest_camera()
        picture, view = (picture, None) if self._views is None else self._views.look(picture, camera, image.header)
        if view is None and self._needed:
            raise InputError(f"no CameraInfo on {self.topics.camera} yet, which {self._needed} needs; publish it")
        depth = self._model.infer(picture, camera=None if view is None else view.intrinsics)
        return messages_of(
            seen(depth, view),
            picture,
            view,
            image.header,
            encoding=self._request.encoding,
            info=self.topics.info is not None,
            points=self._request.points,
            gate=self._request.gate,
        )

    @property
    def _needed(self) -> str | None:
        """Return what of the request needs a camera; None for nothing."""
        if self._model.contract.focal_unit_px is not None:
            return "metres of this model"
        return "--points" if self._request.points else "--rectify" if self._request.rectify else None

    def _newest_camera(self) -> CameraInfo | None:
        """Return the newest CameraInfo, which may be of the image before."""
        try:
            arrived = self._cameras.take(0)
        except DepthrtError as error:
            self._say(error)
            return self._camera
        if arrived is None:
            return self._camera
        if self._camera is None or not np.array_equal(self._camera.d, arrived.message.d):
            self._meet(arrived.message)
        self._camera = arrived.message
        return self._camera

    def _meet(self, camera: CameraInfo) -> None:
        """Decide by the first CameraInfo of a lens what the images are."""
        rectified = sees_straight(camera, self.topics.image, rectify=self._request.rectify)
        if not rectified and self.topics.info is not None:
            warn_of_distortion(self.topics.image)
        self._views = Views(rectified=rectified, rectify=self._request.rectify, needed=self._needed is not None)

    def _say(self, error: DepthrtError) -> None:
        text = str(error)
        if text not in self._said and len(self._said) < _MOST_SAID:
            self._said.add(text)
            self._listener.failed(error)

    def _report(self) -> None:
        """Report the status once a second, whatever the network does."""
        due_s = self._begun_s = monotonic()
        try:
            while True:
                due_s = max(due_s + STATUS_S, monotonic())
                if self._stopped.wait(due_s - monotonic()):
                    return
                self._listener.status(self._status())
        except Exception as error:
            self._unreported = error
            self.stop()

    def _status(self) -> Status:
        now_s = monotonic()
        counts = self._tally.window(now_s, self._images.arrivals)
        silent_s = now_s - self._images.heard_s
        peers = self._session.peers
        waits_for = self._waits_for(peers) if silent_s > SILENT_S else None
        return Status(now_s - self._begun_s, counts, peers, silent_s, waits_for)

    def _waits_for(self, peers: int) -> str:
        """Return why no image comes."""
        if not peers:
            return f"no router or peer of Zenoh at {self._session.where}"
        published = self._session.published()
        if any(one.topic == self.topics.image for one in published):
            return f"{self.topics.image} is published, and no image comes"
        others = sorted({one.topic for one in published if one.type in IMAGE_TYPES} - {self.topics.depth})
        return f"nobody publishes {self.topics.image}; topics with images: {printable(', '.join(others)) or 'none'}"


def _publishers(session: Session, topics: Topics) -> tuple[Publisher | None, ...]:
    """Return the publishers of depth, CameraInfo and points; None for those that are not asked for."""
    kinds: tuple[type[Image | CameraInfo | PointCloud2], ...] = (Image, CameraInfo, PointCloud2)
    names = (topics.depth, topics.info, topics.points)
    return tuple(None if name is None else session.publish(name, kind) for name, kind in zip(names, kinds, strict=True))


def _stamp_age_ms(header: Header) -> float:
    return (time() - header.stamp.sec - header.stamp.nanosec / 1e9) * 1e3

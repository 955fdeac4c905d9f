"""The service: its settings, models, queue, bodies and metrics, which every request shares."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter

from starlette.requests import Request

from ..engine.depth.depth import Depth
from ..engine.errors import BackendUnavailable, InputError
from ..engine.model.focal_length import Lens
from .decode.image import Image, shrink
from .encode.depth_answer import Body
from .encode.reply import Reply
from .infer.models import Models
from .infer.served_model import ServedModel
from .infer.stages import Stages
from .limits.bodies import Bodies
from .limits.key import check_key
from .queue.work_queue import WorkQueue
from .refusal import Refusal, unprocessable
from .settings import Settings
from .watch.json_log import log
from .watch.metrics import Metrics
from .watch.request_record import record_of

_MEMORY_RETRY_S = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What a worker found.

    Args:
        depth: Of the image.
        image: (H, W, 3) uint8 BGR, of the depth's size.
        sent_px: (H, W) of the image as it was sent.
    """

    depth: Depth
    image: Image
    sent_px: tuple[int, int]


class Service:
    """What the requests share. Opening it loads the models and blocks until they are warm.

    Raises:
        DepthrtError: A model cannot be served.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.models = Models(settings)
        self.queue = WorkQueue(workers=settings.workers, waiting=settings.waiting)
        self.bodies = Bodies(
            most_bytes=settings.max_body_bytes,
            most_held_bytes=settings.bodies_bytes,
            timeout_s=settings.upload_timeout_s,
        )
        self.metrics = Metrics(
            self.models.describe(),
            queued=lambda: self.queue.held,
            held_bytes=lambda: self.bodies.held_bytes,
            most_queued=self.queue.most,
        )
        self.draining = False

    @property
    def ready(self) -> bool:
        """Whether new requests are welcome."""
        return not self.draining

    def check_key(self, request: Request) -> None:
        """Raise Refusal 401 unless a request carries the key."""
        check_key(request.headers, self.settings.api_key)

    async def body(self, request: Request) -> bytes:
        """Check the key and return a request's body; raises as check_key and Bodies.read."""
        self.check_key(request)
        record = record_of(request.scope)
        with record.stages.time("upload"):
            return await self.bodies.read(record, request.headers, request.receive)

    def find(
        self,
        read: Callable[[], Image],
        named: tuple[str, ServedModel],
        stages: Stages,
        *,
        lens: Lens,
        max_side_px: int | None = None,
    ) -> Found:
        """Do what a worker does before it encodes: decode, shrink, infer, count.

        Args:
            read: Returns the image.
            named: The model and its name.
            stages: Of the request.
            lens: In px of the image as it was sent.
            max_side_px: See decode.image.shrink.
        """
        name, model = named
        with stages.time("decode"):
            sent = read()
            image = shrink(sent, max_side_px)
        if lens.focal_px is not None:
            lens = Lens(lens.focal_px * image.shape[1] / sent.shape[1])
        depth = model.infer(image, stages, lens=lens)
        self.metrics.count_depth(name, depth)
        return Found(depth, image, (sent.shape[0], sent.shape[1]))

    async def answer(self, request: Request, job: Callable[[Stages], Body]) -> Reply:
        """Return the answer that a job makes in a worker; the job gets the stages of the request.

        Raises:
            Refusal: As WorkQueue.run and the job raise it.
        """
        record, queued = record_of(request.scope), perf_counter()

        def timed() -> Body:
            record.stages.add("wait", perf_counter() - queued)
            self.bodies.check_room()
            try:
                return job(record.stages)
            except (BackendUnavailable, MemoryError):
                raise Refusal(503, "memory", "the machine is short of memory", retry_after_s=_MEMORY_RETRY_S) from None
            except InputError as error:  # values that each are right, and that the engine refuses together
                log("a request was refused late", level=logging.ERROR, error=error, request_id=record.id)
                raise unprocessable("refused", "the values of the request do not fit together") from None

        gone = partial(_disconnect, request)
        body = await self.queue.run(timed, timeout_s=self.settings.timeout_s, gone=gone)
        self.bodies.hold(record, len(body.content))
        return Reply(body)

    def close(self) -> None:
        """End the accepted jobs, then free the models."""
        self.queue.close()
        self.models.close()


async def _disconnect(request: Request) -> None:
    """Return when the client has gone away; its body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def service_of(request: Request) -> Service:
    """Return the service that a request came to."""
    service: Service = request.app.state.service
    return service

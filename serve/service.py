"""The service: its settings, replicas, queue, bodies and metrics, which every request shares."""

from __future__ import annotations

from functools import partial
from time import perf_counter

from starlette.requests import Request

from .encode.depth_answer import Body
from .encode.reply import Reply
from .limits.bodies import Bodies
from .limits.key import check_key
from .queue.work_queue import WorkQueue
from .replicas.replica import Job, Replica, Replicas
from .settings import Settings
from .watch.metrics import Metrics
from .watch.request_record import record_of


class Service:
    """What the requests share.

    Args:
        settings: Of the service.
        replicas: Do the jobs; None loads the models in this process, and blocks until they are warm.

    Raises:
        DepthrtError: A model cannot be served.
    """

    def __init__(self, settings: Settings, replicas: Replicas | None = None) -> None:
        self.settings = settings
        self.replicas = Replica(settings) if replicas is None else replicas
        self.models = self.replicas.lineup
        self.queue = WorkQueue(workers=self.replicas.most_jobs, waiting=settings.waiting)
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
            replicas=lambda: self.replicas.running,
        )
        self.draining = False

    @property
    def ready(self) -> bool:
        """Whether new requests are welcome: a replica runs, and the service is not to stop."""
        return not self.draining and self.replicas.running > 0

    def check_key(self, request: Request) -> None:
        """Raise Refusal 401 unless a request carries the key."""
        check_key(request.headers, self.settings.api_key)

    async def body(self, request: Request) -> bytes:
        """Check the key and return a request's body; raises as check_key and Bodies.read."""
        self.check_key(request)
        record = record_of(request.scope)
        with record.stages.time("upload"):
            return await self.bodies.read(record, request.headers, request.receive)

    async def answer(self, request: Request, job: Job) -> Reply:
        """Return the answer that a job makes in a replica.

        Raises:
            Refusal: As WorkQueue.run and Replicas.do raise it.
        """
        record, queued = record_of(request.scope), perf_counter()

        def timed() -> Body:
            record.stages.add("wait", perf_counter() - queued)
            self.bodies.check_room()
            done = self.replicas.do(job, record.stages, record.id)
            record.replica = done.replica
            if done.spread is not None:
                self.metrics.count_depth(done.spread)
            return done.body

        gone = partial(_disconnect, request)
        body = await self.queue.run(timed, timeout_s=self.settings.timeout_s, gone=gone)
        self.bodies.hold(record, len(body.content))
        return Reply(body)

    def close(self) -> None:
        """End the accepted jobs, then free the models."""
        self.queue.close()
        self.replicas.close()


async def _disconnect(request: Request) -> None:
    """Return when the client has gone away; its body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def service_of(request: Request) -> Service:
    """Return the service that a request came to."""
    service: Service = request.app.state.service
    return service

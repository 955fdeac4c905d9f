"""A replica: the loaded models of one process, and the jobs of requests that it does with them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ...engine.depth.depth import Depth
from ...engine.errors import BackendUnavailable, InputError
from ...engine.images.limits import Limits
from ...engine.model.focal_length import Lens
from ..decode.image import Image, shrink
from ..encode.depth_answer import Body
from ..infer.lineup import Lineup
from ..infer.models import Models
from ..infer.served_model import ServedModel
from ..infer.spread import Spread, spread_of
from ..infer.stages import Stages
from ..refusal import Refusal, unprocessable
from ..settings import Settings
from ..watch.json_log import log

_MEMORY_RETRY_S = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What a replica found.

    Args:
        depth: Of the image.
        image: (H, W, 3) uint8 BGR, of the depth's size.
        sent_px: (H, W) of the image as it was sent.
        named: The name of the model, and the model.
    """

    depth: Depth
    image: Image
    sent_px: tuple[int, int]
    named: tuple[str, ServedModel]


@dataclass(slots=True)
class Task:
    """A job's request as its replica sees it.

    Args:
        models, limits: Of the replica.
        stages: Of the request.
        spread: Of the answer, once it is found.
    """

    models: Models
    limits: Limits
    stages: Stages = field(default_factory=Stages)
    spread: Spread | None = None

    def find(self, read: Callable[[], Image], name: str, *, lens: Lens, max_side_px: int | None = None) -> Found:
        """Do what comes before the encoding: decode, shrink, infer.

        Args:
            read: Returns the image.
            name: Of the model.
            lens: In px of the image as it was sent.
            max_side_px: See decode.image.shrink.
        """
        model = self.models.get(name)
        with self.stages.time("decode"):
            sent = read()
            image = shrink(sent, max_side_px)
        if lens.focal_px is not None:
            lens = Lens(lens.focal_px * image.shape[1] / sent.shape[1])
        depth = model.infer(image, self.stages, lens=lens)
        self.spread = spread_of(name, depth)
        return Found(depth, image, (sent.shape[0], sent.shape[1]), (name, model))


Job = Callable[[Task], Body]  # of a request; it can be pickled, so that another process can do it


@dataclass(frozen=True, slots=True)
class Done:
    """What a job came to.

    Args:
        body: The answer.
        spread: Of the depth in it.
        replica: Which one did it; None if it is this process.
    """

    body: Body
    spread: Spread | None
    replica: str | None = None


class Replicas(Protocol):
    """What does the jobs of the service."""

    @property
    def lineup(self) -> Lineup:
        """Return what is known of the models."""

    @property
    def most_jobs(self) -> int:
        """Return the number of jobs that can run at once; each has a thread of the service."""

    @property
    def running(self) -> int:
        """Return the number of replicas that take jobs now."""

    def do(self, job: Job, stages: Stages, request_id: str) -> Done:
        """Do a job; blocks.

        Args:
            job: Of a request.
            stages: Get the times of its stages.
            request_id: For the log.

        Raises:
            Refusal: As the job raises it; 503 if memory is short, 422 if the engine refuses what was sent.
        """

    def close(self) -> None:
        """Free the models; the jobs have ended."""


class Replica:
    """The models of this process. Opening it loads them and blocks until they are warm.

    Raises:
        DepthrtError: A model cannot be served.
    """

    def __init__(self, settings: Settings) -> None:
        self.models = Models(settings)
        self._limits = settings.limits
        self.lineup, self.most_jobs, self.running = self.models.lineup, settings.workers, 1

    def do(self, job: Job, stages: Stages, request_id: str) -> Done:
        """Do a job, as Replicas.do says it."""
        task = Task(self.models, self._limits, stages)
        try:
            return Done(job(task), task.spread)
        except (BackendUnavailable, MemoryError):
            raise Refusal(503, "memory", "the machine is short of memory", retry_after_s=_MEMORY_RETRY_S) from None
        except InputError as error:  # values that each are right, and that the engine refuses together
            log("a request was refused late", level=logging.ERROR, error=error, request_id=request_id)
            raise unprocessable("refused", "the values of the request do not fit together") from None

    def close(self) -> None:
        """Free the models."""
        self.models.close()

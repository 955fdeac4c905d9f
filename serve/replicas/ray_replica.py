"""A replica in a process of Ray: images come as the bytes that clients sent, answers go back as bytes."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import getpid

from ..infer.lineup import ModelFacts
from ..infer.stages import Stage, Stages
from ..refusal import Refusal
from ..settings import Settings
from ..watch.json_log import logs_as_json
from .replica import Done, Job, Replica


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes back from a replica.

    Args:
        result: Of the job; a refusal is an answer too.
        seconds: Of the stages.
        replica: Which one it was.
    """

    result: Done | Refusal
    seconds: dict[Stage, float]
    replica: str


class RayReplica:
    """The class of the deployment; Ray makes one in each process.

    Args:
        settings: Of the replica.
    """

    def __init__(self, settings: Settings) -> None:
        self._logs = logs_as_json()
        self._logs.__enter__()  # until the process ends
        self._replica = Replica(settings)
        self._pool = ThreadPoolExecutor(settings.workers)

    async def facts(self) -> dict[str, ModelFacts]:
        """Return what is known of the models."""
        lineup = self._replica.lineup
        return {name: lineup.get(name)[1] for name in lineup.names}

    async def do(self, job: Job, request_id: str) -> Outcome:
        """Do a job."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._do, job, request_id)

    def _do(self, job: Job, request_id: str) -> Outcome:
        stages = Stages()
        result: Done | Refusal
        try:
            result = self._replica.do(job, stages, request_id)
        except Refusal as refusal:
            result = refusal
        return Outcome(result, stages.seconds, f"process {getpid()}")

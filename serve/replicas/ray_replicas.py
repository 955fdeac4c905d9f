"""Replicas in processes of Ray Serve: this process takes the requests, those have the models."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from threading import Event, Thread
from time import perf_counter
from typing import Any

from ray import serve as ray_serve
from ray.exceptions import RayActorError, WorkerCrashedError

from ...engine.modelfile.contract import stat_model
from ...engine.modelfile.shipped import model_path
from ..infer.lineup import Lineup, ModelFacts
from ..infer.stages import Stages
from ..refusal import Refusal
from ..settings import Settings
from ..watch.json_log import log, log_too
from .ray_cluster import RayCluster
from .ray_errors import error_of
from .ray_replica import Outcome, RayReplica
from .replica import Done, Job
from .scale import DEPLOYMENT, Scale, deployment_options, settings_of_replica

_TRIES = 3  # of a job; an image whose replica ended so often may be the cause
_LOOK_S = 1.0  # between two looks at the replicas
_END_S = 5.0  # for the last look
_LOST = (RayActorError, WorkerCrashedError)  # the process ended before it answered


class RayReplicas:
    """Replicas of Ray Serve; opening it blocks until the least number of them is warm.

    With the variable RAY_ADDRESS they run on that cluster, otherwise on this machine.

    Args:
        settings: Of the service.
        scale: Number of replicas.
        name: Of the application; another one of the same name on the cluster is replaced.

    Raises:
        DepthrtError: A model cannot be served.
    """

    def __init__(self, settings: Settings, scale: Scale, *, name: str) -> None:
        self._timeout_s, self._name = settings.timeout_s, name
        self._cluster = RayCluster()
        self.most_jobs = scale.most * settings.workers
        self.running = 0
        self._closing, self._looking = Event(), Thread(target=self._look, name="depthrt-replicas", daemon=True)
        if self._cluster.own:  # before Ray takes its seconds
            for path in settings.models.values():
                stat_model(model_path(path))
        try:
            self._handle = self._deploy(settings_of_replica(settings, scale), scale)
            facts = self._handle.facts.remote().result(timeout_s=settings.timeout_s)
        except BaseException:
            self.close()
            raise
        self.lineup = Lineup({name: partial(_known, found) for name, found in facts.items()})
        self.running = scale.least
        self._looking.start()

    def do(self, job: Job, stages: Stages, request_id: str) -> Done:
        """Do a job in one of the replicas, as Replicas.do says it; in another one if its process ends."""
        begun = perf_counter()
        for _ in range(_TRIES):
            left_s = max(0.0, self._timeout_s - (perf_counter() - begun))
            answer = self._handle.do.remote(job, request_id)
            try:
                outcome: Outcome = answer.result(timeout_s=left_s)
            except _LOST:
                log("a replica ended at work", level=logging.WARNING, request_id=request_id)
                continue
            except TimeoutError:
                answer.cancel()
                raise Refusal(503, "timeout", f"no answer within {self._timeout_s:g} s", retry_after_s=1) from None
            return _result(outcome, stages, perf_counter() - begun)
        raise Refusal(503, "replica_lost", "the processes that worked on the image ended; try again", retry_after_s=1)

    def close(self) -> None:
        """End the replicas."""
        self._closing.set()
        if self._looking.is_alive():
            self._looking.join(_END_S)  # a look after the end of Ray would start it again
        if self._cluster.joined and not self._cluster.own:
            ray_serve.delete(self._name)
        self._cluster.leave()

    def _deploy(self, settings: Settings, scale: Scale) -> Any:  # noqa: ANN401
        """Start the replicas and return the handle to them."""
        self._cluster.join(cpus=scale.most * (settings.threads or 1))
        log_too("ray", "ray.serve")
        ray_serve.start(proxy_location="Disabled", logging_config={"enable_access_log": False, "log_level": "WARNING"})
        log_too("ray", "ray.serve")  # which Ray has set up otherwise
        deployment = ray_serve.deployment(**deployment_options(settings, scale))(RayReplica)
        try:
            return ray_serve.run(deployment.bind(settings), name=self._name, route_prefix=None)
        except RuntimeError as error:
            raise error_of(f"{error} {self._status().deployments[DEPLOYMENT].message}") from None

    def _status(self) -> Any:  # noqa: ANN401
        return ray_serve.status().applications[self._name]

    def _look(self) -> None:
        """Count the replicas that run, until the service ends."""
        while not self._closing.wait(_LOOK_S):
            self.running = self._count()

    def _count(self) -> int:
        try:
            return int(self._status().deployments[DEPLOYMENT].replica_states.get("RUNNING", 0))
        except Exception as error:  # of any kind: Ray itself is in trouble, or ends
            if not self._closing.is_set():
                log("Ray does not answer", level=logging.ERROR, error=error)
            return 0


def _known(facts: ModelFacts) -> ModelFacts:
    return facts


def _result(outcome: Outcome, stages: Stages, seconds: float) -> Done:
    """Return the result of a job, or raise it; what the way there and back took is counted as waiting."""
    for stage, spent in outcome.seconds.items():
        stages.add(stage, spent)
    stages.add("wait", max(0.0, seconds - sum(outcome.seconds.values())))
    if isinstance(outcome.result, Refusal):
        raise outcome.result
    return replace(outcome.result, replica=outcome.replica)

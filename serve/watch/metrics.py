"""Counts and times for Prometheus; the range of the depth too, whose drift tells of other inputs than before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from ..infer.spread import PERCENTILES, Spread
from ..infer.stages import Stages

TEXT = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
# Values of depth: metres, or the unitless numbers of the networks, which differ by orders of magnitude.
_VALUES = tuple(step * 10.0**power for power in range(-3, 5) for step in (1, 2, 5))


class Metrics:
    """The service's metrics, in a registry of their own.

    Args:
        models: What the service tells about its models, by name.
        queued: Returns the number of jobs that wait or run.
        held_bytes: Returns the bytes of the bodies in memory.
        most_queued: Jobs that may wait or run.
        replicas: Returns the number of replicas that take jobs.
    """

    def __init__(
        self,
        models: Iterable[Mapping[str, Any]],
        *,
        queued: Callable[[], float],
        held_bytes: Callable[[], float],
        most_queued: int,
        replicas: Callable[[], float],
    ) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self._requests = Counter("depthrt_requests", "Requests by route and status", ["route", "status"], registry=own)
        self._errors = Counter("depthrt_errors", "Refused requests by code", ["code"], registry=own)
        self._seconds = Histogram(
            "depthrt_request_seconds",
            "From the first byte of a request to its answer",
            ["route"],
            buckets=_SECONDS,
            registry=own,
        )
        self._stages = Histogram("depthrt_stage_seconds", "Time by stage", ["stage"], buckets=_SECONDS, registry=own)
        self._depth = Histogram(
            "depthrt_depth",
            "Percentiles of the values of each answer",
            ["model", "percentile"],
            buckets=_VALUES,
            registry=own,
        )
        self._valid = Histogram(
            "depthrt_depth_valid_share",
            "Share of pixels that have a depth",
            ["model"],
            buckets=(0.0, 0.5, 0.9, 0.99, 0.999),
            registry=own,
        )
        Gauge("depthrt_queue_jobs", "Jobs that wait or run", registry=own).set_function(queued)
        Gauge("depthrt_queue_most_jobs", "Jobs that may wait or run", registry=own).set(most_queued)
        Gauge("depthrt_replicas", "Replicas that take jobs", registry=own).set_function(replicas)
        Gauge("depthrt_bodies_bytes", "Bytes of request bodies in memory", registry=own).set_function(held_bytes)
        told = ("name", "network", "kind", "precision", "runner", "sha256")
        info = Gauge("depthrt_model_info", "1 for each served model", told, registry=own)
        for model in models:
            info.labels(*(str(model[key]) for key in told)).set(1)

    def count_request(self, route: str, status: int, seconds: float, stages: Stages, code: str | None) -> None:
        """Count a request that is answered.

        Args:
            route: As it stands in the program, so that clients cannot make labels.
            status: Of the answer.
            seconds: That it took.
            stages: Times of its stages.
            code: Of its refusal, None if there is none.
        """
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        for stage, spent in stages.seconds.items():
            self._stages.labels(stage).observe(spent)
        if code is not None:
            self._errors.labels(code).inc()

    def count_depth(self, spread: Spread) -> None:
        """Count the spread of an answer."""
        self._valid.labels(spread.model).observe(spread.valid_share)
        for percentile, value in zip(PERCENTILES, spread.percentiles, strict=False):  # none if no pixel has a depth
            self._depth.labels(spread.model, str(percentile)).observe(value)

    def text(self) -> bytes:
        """Return all metrics as Prometheus reads them."""
        return generate_latest(self.registry)

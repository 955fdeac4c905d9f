"""How many replicas of the models there are, and what each takes of its machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...engine.errors import InputError
from ...engine.modelfile.shipped import DEFAULT
from ...engine.system.cores import usable_cores
from ..settings import Settings

DEPLOYMENT = "models"
_HEALTH_S = 1.0  # between two looks at a replica; one that has ended is replaced after at most that
_HEALTH_TIMEOUT_S = 30.0  # a replica that does not answer for so long is replaced
_UPSCALE_S = 5.0  # for which more is asked than the replicas can do before one is added
_DOWNSCALE_S = 300.0  # for which less is asked before one ends: loading its models again costs time


@dataclass(frozen=True, slots=True)
class Scale:
    """Number of replicas; between `least` and `most` it follows what is asked.

    Raises:
        InputError: No replica, or a range that ends before it begins.
    """

    least: int
    most: int

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            raise InputError(f"{self.least}:{self.most} found as the number of replicas, expected 1 <= MIN <= MAX")


def settings_of_replica(settings: Settings, scale: Scale) -> Settings:
    """Return the settings of each replica: paths that hold in another folder, its share of the cores, and no key."""
    models = {name: path if path == DEFAULT else Path(path).resolve() for name, path in settings.models.items()}
    threads = settings.threads or max(1, usable_cores() // scale.most)
    return replace(settings, models=models, threads=threads, api_key=None)


def deployment_options(settings: Settings, scale: Scale) -> dict[str, Any]:
    """Return the options of Ray Serve's deployment.

    Ray takes no more jobs than the replicas do at once and the service's queue holds the rest, so that there is one
    queue with one limit.

    Args:
        settings: Of a replica.
        scale: Number of replicas.
    """
    resources = {"num_cpus": settings.threads, "num_gpus": 1 if settings.device == "cuda" else 0}
    options: dict[str, Any] = {
        "name": DEPLOYMENT,
        "ray_actor_options": resources,
        "max_ongoing_requests": settings.workers,
        "health_check_period_s": _HEALTH_S,
        "health_check_timeout_s": _HEALTH_TIMEOUT_S,
        "graceful_shutdown_timeout_s": settings.timeout_s,
        "graceful_shutdown_wait_loop_s": _HEALTH_S,
        "max_constructor_retry_count": 1,  # a file that cannot be served now cannot a second later
    }
    if scale.least == scale.most:
        return {**options, "num_replicas": scale.most}
    scaling = {
        "min_replicas": scale.least,
        "max_replicas": scale.most,
        "target_ongoing_requests": settings.workers,
        "upscale_delay_s": _UPSCALE_S,
        "downscale_delay_s": _DOWNSCALE_S,
    }
    return {**options, "autoscaling_config": scaling}

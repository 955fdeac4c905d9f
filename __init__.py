"""Monocular depth out of the notebook: load a model file, give it an image, get depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .engine.cuda.device_depth import DeviceDepth
    from .engine.depth.cloud import PointCloud
    from .engine.depth.depth import Depth
    from .engine.depth.intrinsics import Intrinsics
    from .engine.depth.obstacles.gate import ObstacleGate
    from .engine.depth.provenance import Provenance
    from .engine.depth.rectify import Rectification
    from .engine.images.limits import Limits
    from .engine.images.read import read_image
    from .engine.model.depth_model import DepthModel, load
    from .engine.run.latest.latest_frame import LatestFrame
    from .engine.version import __version__
    from .export.download.fetch import fetch

from .engine.errors import (
    BackendUnavailable,
    BudgetError,
    BuildError,
    ContractError,
    DepthrtError,
    FetchError,
    InputError,
    ModelFileError,
    NoFloor,
    ParityError,
)
from .engine.system.process.telemetry import opt_out

opt_out()

_HOME = {
    "Depth": "engine.depth.depth",
    "DepthModel": "engine.model.depth_model",
    "DeviceDepth": "engine.cuda.device_depth",
    "Intrinsics": "engine.depth.intrinsics",
    "LatestFrame": "engine.run.latest.latest_frame",
    "Limits": "engine.images.limits",
    "ObstacleGate": "engine.depth.obstacles.gate",
    "PointCloud": "engine.depth.cloud",
    "Provenance": "engine.depth.provenance",
    "Rectification": "engine.depth.rectify",
    "__version__": "engine.version",
    "fetch": "export.download.fetch",
    "load": "engine.model.depth_model",
    "read_image": "engine.images.read",
}

__all__ = [
    "BackendUnavailable",
    "BudgetError",
    "BuildError",
    "ContractError",
    "Depth",
    "DepthModel",
    "DepthrtError",
    "DeviceDepth",
    "FetchError",
    "InputError",
    "Intrinsics",
    "LatestFrame",
    "Limits",
    "ModelFileError",
    "NoFloor",
    "ObstacleGate",
    "ParityError",
    "PointCloud",
    "Provenance",
    "Rectification",
    "__version__",
    "fetch",
    "load",
    "read_image",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 (as for every module)
    """Import a public name on its first use, so that `import depthrt` stays light."""
    if name not in _HOME:
        raise AttributeError(f"module 'depthrt' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    """Return the public names, for dir() and completion."""
    return __all__

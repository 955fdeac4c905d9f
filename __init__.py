"""Monocular depth out of the notebook: load a model file, give it an image, get depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .engine.cuda.device_depth import DeviceDepth
    from .engine.depth.depth import Depth
    from .engine.depth.intrinsics import Intrinsics
    from .engine.depth.provenance import Provenance
    from .engine.images.limits import Limits
    from .engine.images.read import read_image
    from .engine.model.depth_model import DepthModel, load
    from .engine.version import __version__

from .engine.errors import (
    BackendUnavailable,
    BudgetError,
    BuildError,
    ContractError,
    DepthrtError,
    InputError,
    ModelFileError,
    ParityError,
)
from .engine.system.process.telemetry import opt_out

opt_out()

_HOME = {
    "Depth": "depth.depth",
    "DepthModel": "model.depth_model",
    "DeviceDepth": "cuda.device_depth",
    "Intrinsics": "depth.intrinsics",
    "Limits": "images.limits",
    "Provenance": "depth.provenance",
    "__version__": "version",
    "load": "model.depth_model",
    "read_image": "images.read",
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
    "InputError",
    "Intrinsics",
    "Limits",
    "ModelFileError",
    "ParityError",
    "Provenance",
    "__version__",
    "load",
    "read_image",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 (as for every module)
    """Import a public name on its first use, so that `import depthrt` stays light."""
    if name not in _HOME:
        raise AttributeError(f"module 'depthrt' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".engine.{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    """Return the public names, for dir() and completion."""
    return __all__

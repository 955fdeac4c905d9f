"""Monocular depth out of the notebook: load a model file, give it an image, get depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .engine.cuda.device_depth import DeviceDepth as DeviceDepth
    from .engine.depth import Depth as Depth
    from .engine.depth import Intrinsics as Intrinsics
    from .engine.depth import Provenance as Provenance
    from .engine.image import Limits as Limits
    from .engine.image import read_image as read_image
    from .engine.model import DepthModel as DepthModel
    from .engine.model import load as load

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

__version__ = "0.1.0"

_HOME = {
    "Depth": "depth",
    "DepthModel": "model",
    "DeviceDepth": "cuda.device_depth",
    "Intrinsics": "depth",
    "Limits": "image",
    "Provenance": "depth",
    "load": "model",
    "read_image": "image",
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

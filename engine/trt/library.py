"""Whichever TensorRT is installed, the full one or TensorRT-RTX, behind one name, and what it can do."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Lock
from types import ModuleType
from typing import Any, Literal

from ..cuda.driver.driver import Gpu, find_gpu
from ..errors import BackendUnavailable

Flavour = Literal["tensorrt", "tensorrt-rtx"]

MODULES: dict[str, Flavour] = {
    "tensorrt": "tensorrt",
    "tensorrt_bindings": "tensorrt",
    "tensorrt_rtx": "tensorrt-rtx",
    "tensorrt_rtx_bindings": "tensorrt-rtx",
}
RTX_INSTALL = "pip install tensorrt-rtx-cu13-bindings tensorrt-rtx-cu13-libs"
INSTALL = f"pip install 'depthrt[gpu]', or to build without a GPU, {RTX_INSTALL}"
TITLES: dict[Flavour, str] = {"tensorrt": "TensorRT", "tensorrt-rtx": "TensorRT-RTX"}
_TAIL_LINES = 3  # of a log, that an error ends with
_LINE_LENGTH = 400
_SINKS_CHANGE = Lock()


@dataclass(frozen=True, slots=True)
class Message:
    """One line of TensorRT's log: severity is "INTERNAL_ERROR", "ERROR", "WARNING" or "INFO"."""

    severity: str
    text: str


@dataclass(frozen=True, slots=True)
class TensorRT:
    """An imported TensorRT. What it can do is asked of it, never concluded from its version.

    Args:
        module: Its Python module; both flavours have the same classes there.
        flavour: "tensorrt" or "tensorrt-rtx".
        logger: The one logger for everything of this module: TensorRT keeps the first that it is given.
    """

    module: Any
    flavour: Flavour
    logger: Any

    @property
    def version(self) -> str:
        """Return e.g. "1.7.1.116"."""
        return str(self.module.__version__)

    @property
    def name(self) -> str:
        """Return flavour and version for people."""
        return f"{TITLES[self.flavour]} {self.version}"

    @property
    def compute_capabilities(self) -> tuple[str, ...]:
        """Return those that an engine can be built for by name, e.g. "8.9"; () where it builds for its own GPU."""
        if not hasattr(self.module.IBuilderConfig, "set_compute_capability"):
            return ()
        names = [name for name in dir(self.module.ComputeCapability) if name.startswith("SM")]
        return tuple(sorted((f"{name[2:-1]}.{name[-1]}" for name in names), key=float))

    @property
    def has_timing_cache(self) -> bool:
        """Whether measured kernel times can be kept for the next build; in TensorRT-RTX the calls do nothing."""
        return self.flavour == "tensorrt" and hasattr(self.module.IBuilderConfig, "create_timing_cache")

    @property
    def network_flags(self) -> int:
        """Return the flags of a strongly typed network: every tensor has the type that stands in the ONNX file.

        Raises:
            BackendUnavailable: This TensorRT is too old to take types from the file.
        """
        flags = self.module.NetworkDefinitionCreationFlag
        if hasattr(flags, "STRONGLY_TYPED"):
            return 1 << int(flags.STRONGLY_TYPED)
        if hasattr(self.module.BuilderFlag, "FP16"):  # it chooses types itself
            raise BackendUnavailable(f"{self.name} cannot build strongly typed engines; install 10.12 or newer")
        return 0

    def check_driver(self) -> Gpu | None:
        """Return the GPU that an engine is built for, or None where none is needed.

        Raises:
            BackendUnavailable: The full TensorRT needs a GPU to build, and crashes where there is none.
        """
        if self.flavour == "tensorrt-rtx":
            return None
        try:
            return find_gpu()
        except BackendUnavailable as error:
            raise BackendUnavailable(
                f"{self.name} builds on the GPU alone, and {error}; TensorRT-RTX builds without one: {RTX_INSTALL}"
            ) from error

    @contextmanager
    def collected(self) -> Iterator[list[Message]]:
        """Give the list that TensorRT's messages go to while the block runs, from any thread."""
        messages: list[Message] = []
        with _SINKS_CHANGE:
            self.logger.sinks.append(messages)
        try:
            yield messages
        finally:
            with _SINKS_CHANGE:  # By identity: two empty lists are equal.
                self.logger.sinks[:] = [sink for sink in self.logger.sinks if sink is not messages]


@cache
def import_tensorrt(wanted: Flavour | None = None) -> TensorRT:
    """Import the first TensorRT that works.

    Args:
        wanted: Look for this flavour alone; None takes either, the full TensorRT first.

    Raises:
        BackendUnavailable: None does; the message names what to install.
    """
    reasons = []
    for name, flavour in MODULES.items():
        if wanted not in (None, flavour):
            continue
        found = _import(name)
        if isinstance(found, ModuleType):
            return TensorRT(found, flavour, _the_logger(found))
        if found:
            reasons.append(f"{name}: {found}")
    why = f"cannot be imported ({'; '.join(reasons)})" if reasons else "is not installed"
    install = RTX_INSTALL if wanted == "tensorrt-rtx" else INSTALL
    raise BackendUnavailable(f"{TITLES[wanted or 'tensorrt']} {why}; install it with: {install}")


def tail(messages: list[Message]) -> str:
    """Return the end of a log as one line: its errors, or where it has none, its last lines."""
    errors = [message for message in messages if "ERROR" in message.severity]
    lines = [" ".join(message.text.split())[:_LINE_LENGTH] for message in (errors or messages)[-_TAIL_LINES:]]
    return " | ".join(lines) or "its log is empty"


def _import(name: str) -> ModuleType | str:
    """Return the module, or why it cannot be imported: "" where it simply is not there."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        return "" if error.name == name else str(error)
    except Exception as error:  # a package without its libraries raises what it likes
        return " ".join(str(error).split())


@cache
def _the_logger(module: Any) -> Any:  # noqa: ANN401 (TensorRT has no types)
    """Return the module's one ILogger, whose messages go to the lists in `sinks`."""

    class Logger(module.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            module.ILogger.__init__(self)
            self.sinks: list[list[Message]] = []

        def log(self, severity: Any, text: str) -> None:  # noqa: ANN401
            if severity.name != "VERBOSE":
                for sink in tuple(self.sinks):
                    sink.append(Message(severity.name, text))

    return Logger()

"""Imports the TensorRT that is installed, full TensorRT or TensorRT-RTX, and asks what it can do."""

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
    """An imported TensorRT. Its module is asked what it can do; its version does not tell.

    Args:
        module: Its Python module, with the same classes in both flavours.
        flavour: "tensorrt" or "tensorrt-rtx".
        logger: Of every call to this module: TensorRT keeps the first logger that it gets.
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
        """Return flavour and version, e.g. "TensorRT-RTX 1.7.1.116"."""
        return f"{TITLES[self.flavour]} {self.version}"

    @property
    def compute_capabilities(self) -> tuple[str, ...]:
        """Return the capabilities that a build can name, e.g. "8.9"; () if it builds for this machine's GPU only."""
        if not hasattr(self.module.IBuilderConfig, "set_compute_capability"):
            return ()
        names = [name for name in dir(self.module.ComputeCapability) if name.startswith("SM")]
        return tuple(sorted((f"{name[2:-1]}.{name[-1]}" for name in names), key=float))

    @property
    def has_timing_cache(self) -> bool:
        """Whether measured kernel times can be kept for the next build; TensorRT-RTX's calls do nothing."""
        return self.flavour == "tensorrt" and hasattr(self.module.IBuilderConfig, "create_timing_cache")

    @property
    def network_flags(self) -> int:
        """Return the flags of a strongly typed network: every tensor has its type of the ONNX file.

        Raises:
            BackendUnavailable: This TensorRT is too old to take types from the file.
        """
        flags = self.module.NetworkDefinitionCreationFlag
        if hasattr(flags, "STRONGLY_TYPED"):
            return 1 << int(flags.STRONGLY_TYPED)
        if hasattr(self.module.BuilderFlag, "FP16"):  # it chooses the types
            raise BackendUnavailable(f"{self.name} cannot build strongly typed engines; install 10.12 or newer")
        return 0

    def check_driver(self) -> Gpu | None:
        """Return the GPU that an engine is built for, or None if a build needs none.

        Raises:
            BackendUnavailable: The full TensorRT needs a GPU to build, and would crash without one.
        """
        if self.flavour == "tensorrt-rtx":
            return None
        try:
            return find_gpu()
        except BackendUnavailable as error:
            raise BackendUnavailable(
                f"{self.name} needs a GPU to build, and {error}; TensorRT-RTX builds without one: {RTX_INSTALL}"
            ) from error

    @contextmanager
    def collected(self) -> Iterator[list[Message]]:
        """Collect TensorRT's messages from all threads in a list while the block runs."""
        messages: list[Message] = []
        with _SINKS_CHANGE:
            self.logger.sinks.append(messages)
        try:
            yield messages
        finally:
            with _SINKS_CHANGE:  # by identity: two empty lists are equal
                self.logger.sinks[:] = [sink for sink in self.logger.sinks if sink is not messages]


@cache
def import_tensorrt(wanted: Flavour | None = None) -> TensorRT:
    """Import the first TensorRT that works.

    Args:
        wanted: Take this flavour only; None takes either, the full TensorRT first.

    Raises:
        BackendUnavailable: None works; the message names what to install.
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
    """Return the end of a log as one line: its last errors, or its last lines if it has no errors."""
    errors = [message for message in messages if "ERROR" in message.severity]
    lines = [" ".join(message.text.split())[:_LINE_LENGTH] for message in (errors or messages)[-_TAIL_LINES:]]
    return " | ".join(lines) or "its log is empty"


def _import(name: str) -> ModuleType | str:
    """Return the module, or why it cannot be imported: "" if it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        return "" if error.name == name else str(error)
    except Exception as error:  # a package without its libraries can raise anything
        return " ".join(str(error).split())


@cache
def _the_logger(module: Any) -> Any:  # noqa: ANN401 (TensorRT has no types)
    """Return the module's only ILogger; it appends messages to the lists in `sinks`."""

    class Logger(module.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            module.ILogger.__init__(self)
            self.sinks: list[list[Message]] = []

        def log(self, severity: Any, text: str) -> None:  # noqa: ANN401
            if severity.name != "VERBOSE":
                for sink in tuple(self.sinks):
                    sink.append(Message(severity.name, text))

    return Logger()

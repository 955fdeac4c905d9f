"""Keeps the libraries under depthrt from reporting to their makers, unless the user asked them to.

ONNX Runtime's Linux wheels (from 1.29 on) keep a device identity and a queue of events in the user's cache and send
them to Microsoft; `import openvino` keeps a client identity in ~/intel and sends an event to Google Analytics.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ORT_SWITCH = "ORT_DISABLE_TELEMETRY"  # read when the library is loaded, so it has to be set before
# Variables that switch a report off, for this process and its children. A user's own value stays, "0" included.
SWITCHES = {ORT_SWITCH: "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
OPENVINO_REPORTS = "openvino_telemetry"  # the package by which openvino reports; without it openvino reports nothing
# Source: openvino_telemetry, utils/opt_in_checker.py: "1" in this file is the user's consent.
_CONSENT = Path("intel") / OPENVINO_REPORTS

_loaded_before: set[str] = set()  # libraries that were imported before their switch was set


def opt_out() -> None:
    """Set the switches; `import depthrt` does it, before it can import a library that reads them."""
    if "onnxruntime" in sys.modules and not os.environ.get(ORT_SWITCH):
        _loaded_before.add("onnxruntime")
    for name, value in SWITCHES.items():
        if not os.environ.get(name):
            os.environ[name] = value


def was_loaded_before(library: str) -> bool:
    """Return whether a library was imported before its switch was set, and may have reported."""
    return library in _loaded_before


@contextmanager
def without_openvino_reports() -> Iterator[None]:
    """Import openvino in the block as if its reporting package were not installed, unless the user gave consent."""
    if OPENVINO_REPORTS in sys.modules or _consents():
        yield
        return
    sys.modules[OPENVINO_REPORTS] = None  # type: ignore[assignment] # None makes an import raise ImportError
    try:
        yield
    finally:
        sys.modules.pop(OPENVINO_REPORTS, None)


def _consents() -> bool:
    try:
        return (Path.home() / _CONSENT).read_text(encoding="ascii").strip() == "1"
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a user without a home folder
        return False

"""Where an ONNX file may say that its weights lie: beside it, in its folder."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath


def leads_out(location: str) -> bool:
    """Return whether a location of weights leads out of the folder of its ONNX file, on any system; an empty one does.

    Links are not followed.
    """
    posix, windows = PurePosixPath(location), PureWindowsPath(location)
    return not location or posix.is_absolute() or bool(windows.anchor) or ".." in {*posix.parts, *windows.parts}

"""The cache folder, in which depthrt keeps what it measured and built on this machine; it can be deleted any time."""

# platformdirs would replace _users_folder (10 lines). Its import takes 8 ms, a fifth of this module's 42 (median of 30,
# interleaved), and its folders on Windows and with XDG_CACHE_HOME on macOS are others than those in use.

from __future__ import annotations

import logging
import os
import sys
from functools import cache
from pathlib import Path

VARIABLE = "DEPTHRT_CACHE"
logger = logging.getLogger("depthrt")


def cache_dir(name: str) -> Path | None:
    """Create and return the cache's subfolder `name`; None, with one warning, if it cannot be written.

    The cache is the folder that DEPTHRT_CACHE names, unless that is empty, else `depthrt` in the user's cache folder.
    """
    root = cache_root()
    if root is None:
        _warn_not_writable(Path(name), "this user has no home folder")
        return None
    folder = root / name
    reason = _refusal(folder)
    if reason:
        _warn_not_writable(folder, reason)
        return None
    return folder


def known_dir(name: str) -> Path | None:
    """Return the cache's subfolder `name` if it exists; it may be read-only."""
    root = cache_root()
    try:
        return root / name if root is not None and (root / name).is_dir() else None
    except OSError:  # a folder above may not be looked into
        return None


def cache_root() -> Path | None:
    """Return the path of the cache, which may not exist yet, or None for a user without a home folder."""
    try:
        chosen = os.environ.get(VARIABLE, "").strip()
        return Path(chosen).expanduser().absolute() if chosen else _users_folder() / "depthrt"
    except RuntimeError:  # of Path.home and expanduser; a folder shared with others is not safe for compiled code
        return None


def _users_folder() -> Path:
    """Return the folder where this system's programs keep their caches."""
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) if local else Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # Source: XDG Base Directory Specification 0.8: a relative path is invalid and is ignored.
    return shared if shared.is_absolute() else Path.home() / ".cache"


def _refusal(folder: Path) -> str:
    """Create the folder; return why it cannot be used, or "" if it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        return error.strerror or str(error)
    return "" if os.access(folder, os.W_OK | os.X_OK) else "no right to write"


def _warn_not_writable(folder: Path, reason: str) -> None:
    warn_once(
        f"depthrt: the cache {folder} cannot be written ({reason}), so nothing new is remembered; set {VARIABLE} to a "
        "folder that can be"
    )


@cache
def warn_once(message: str) -> None:
    """Log a warning, unless this process did before."""
    logger.warning("%s", message)

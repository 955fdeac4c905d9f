"""TensorRT's measured kernel times, kept from build to build in a file for each model of GPU."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ...cuda.driver.driver import Gpu
from ...errors import InputError
from ...system.cache.folder import cache_dir
from ...system.files import atomic_path
from ..library import TensorRT


def load_timing_cache(trt: TensorRT, config: Any, gpu: Gpu | None) -> Path | None:  # noqa: ANN401 (TensorRT has no types)
    """Give a builder configuration the times that earlier builds measured.

    Returns:
        The file for save_timing_cache, or None if this TensorRT keeps no times or the cache cannot be written.
    """
    folder = cache_dir("timing") if trt.has_timing_cache and gpu is not None else None
    if folder is None or gpu is None:
        return None
    name = re.sub(r"[^A-Za-z0-9.]+", "-", f"{trt.version}-{gpu.name}-{gpu.compute_capability}")
    path = folder / f"{name}.timing"
    known = path.read_bytes() if path.is_file() else b""
    # TensorRT refuses a damaged file, or one of another version or GPU, and measures again.
    times = config.create_timing_cache(known) if known else None
    if times is None or not config.set_timing_cache(times, False):
        config.set_timing_cache(config.create_timing_cache(b""), False)
    return path


def save_timing_cache(path: Path | None, config: Any) -> None:  # noqa: ANN401
    """Keep the times that the build measured; if the cache cannot be written, the next build measures again."""
    if path is None:
        return
    try:
        with atomic_path(path) as unfinished:
            unfinished.write_bytes(memoryview(config.get_timing_cache().serialize()))
    except InputError:
        return

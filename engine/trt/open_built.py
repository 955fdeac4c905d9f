"""An ONNX file on TensorRT: with the engine in the cache, or with one that is built now, which is said aloud."""

from __future__ import annotations

import logging
from pathlib import Path

from ..cuda.driver import find_gpu
from .fitness import options_for
from .library import import_tensorrt
from .plan_cache import WAITING, cached_plan, find_cached_plan
from .plan_file import PlanFile
from .runner import TrtRunner

logger = logging.getLogger("depthrt")


def open_built(path: Path) -> TrtRunner:
    """Open an ONNX file on this machine's first GPU; blocks while the engine is built, where none is in the cache.

    Raises:
        BackendUnavailable: There is no GPU, no TensorRT, or they do not fit together.
        BuildError: TensorRT refuses the file.
        ModelFileError, ContractError: As build_engine.
    """
    gpu = find_gpu()
    options = options_for(import_tensorrt(), gpu)
    said: set[str] = set()

    def say_once(title: str, done: int, wanted: int) -> None:
        what = "another process builds one" if title == WAITING else "building one now, which takes seconds to minutes"
        if what not in said:
            said.add(what)
            logger.warning("depthrt: no TensorRT engine of %s for %s is in the cache; %s", path, gpu.name, what)

    return TrtRunner(path, plan=cached_plan(path, options=options, on_step=say_once).plan)


def find_plan(path: Path) -> PlanFile | None:
    """Return the plan that open_built would find in the cache; None where it would build one.

    Raises:
        As open_built, where it could not build one.
    """
    gpu = find_gpu()
    return find_cached_plan(path, options=options_for(import_tensorrt(), gpu))

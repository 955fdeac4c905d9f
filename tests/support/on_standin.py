"""Engines of TensorRT-RTX on the stand-in GPU: what their tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kernels_on_host import HERE
from standin import run_case

from depthrt.engine.trt.build_options import BuildOptions
from depthrt.engine.trt.plan_file import PlanHeader, read_plan_file, write_plan_file

RTX = "tensorrt_rtx_bindings"
NO_RTX = f"engines are NOT run: {RTX} has no wheel for this platform"
RANGE = BuildOptions(min_px=(126, 126), opt_px=(126, 168), max_px=(224, 224))


def run_trt_case(library: Path, case: str, *arguments: object, **environment: str) -> str:
    """Run a case of trt_cases.py; return its output."""
    return run_case(library, case, *map(str, arguments), cases=HERE / "trt_cases.py", environment=environment)


def with_header(engine: Path, path: Path, change: Callable[[PlanHeader], PlanHeader]) -> Path:
    """Write an engine with another header."""
    found = read_plan_file(engine)
    write_plan_file(path, change(found.header), found.plan)
    return path

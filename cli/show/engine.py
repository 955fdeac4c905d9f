"""What `depthrt build` and `depthrt info` print about an engine file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .file import check_rows, contract_rows, found_checks, show_rows
from .printing import print_result, say

if TYPE_CHECKING:
    from ...engine.model.file_check import FileCheck
    from ...engine.trt.build.build import Built
    from ...engine.trt.plan_file import PlanHeader


def show_built(built: Built, *, as_json: bool) -> None:
    """Print what a build wrote, its time and what it runs on."""
    header = built.header
    for warning in built.warnings:
        say(f"warning: {warning}")
    if as_json:
        found = {"path": str(built.path), "file_mib": built.file_mib, "seconds": built.seconds}
        print_result(json.dumps({**found, **_facts(header)}))
        return
    print_result(
        f"{built.path}: {header.contract.model}, {header.precision}, {built.file_mib:.1f} MiB "
        f"in {built.seconds:.1f} s; {_tensorrt(header)}, {header.runs_on}"
    )
    for line in _shapes(header):
        print_result(f"  {line}")


def show_plan(header: PlanHeader, path: Path, checks: Sequence[FileCheck] = (), *, as_json: bool) -> None:
    """Print what an engine file is, and what was checked."""
    if as_json:
        print_result(json.dumps({"path": str(path), "file": "engine", **_facts(header), **found_checks(checks)}))
        return
    rows = contract_rows(header.contract)
    rows |= {
        "input": "; ".join(_shapes(header)),
        "built by": f"{header.producer} with {_tensorrt(header)}",
        "runs on": header.runs_on,
        "plan": f"{header.plan_bytes / 2**20:.1f} MiB, sha256 {header.plan_sha256[:16]}",
        "onnx": f"sha256 {header.onnx_sha256[:16]}",
        **check_rows(checks),
    }
    show_rows(path, rows)


def _facts(header: PlanHeader) -> dict[str, object]:
    return {**header.to_dict(), "precision": header.precision, "runs_on": header.runs_on}


def _tensorrt(header: PlanHeader) -> str:
    return f"{'TensorRT-RTX' if header.flavour == 'tensorrt-rtx' else 'TensorRT'} {header.tensorrt_version}"


def _shapes(header: PlanHeader) -> list[str]:
    """Return the shapes that each input takes, in words."""
    lines = []
    for tensor in header.inputs():
        for profile in tensor.profiles:
            least, best, most = ("x".join(map(str, shape)) for shape in (profile.min, profile.opt, profile.max))
            lines.append(f"{tensor.name} {best}" if least == most else f"{tensor.name} {least} to {most}, best {best}")
    return lines

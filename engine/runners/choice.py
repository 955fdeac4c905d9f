"""How a model file is run on a CPU."""

from __future__ import annotations

from dataclasses import dataclass

from ..system.field_types import Count
from ..terms import CpuRunner, Precision


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to run a file on a CPU.

    Args:
        runner: "onnxruntime" or "openvino".
        precision: Of the arithmetic.
        threads: CPU threads.
    """

    runner: CpuRunner
    precision: Precision
    threads: Count

    def __str__(self) -> str:
        """Return e.g. "openvino bf16, 2 threads"."""
        return f"{self.runner} {self.precision}, {self.threads} thread{'s' if self.threads > 1 else ''}"

"""Where depth values come from, and how long they took."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from ..errors import InputError


@dataclass(frozen=True, slots=True)
class Timings:
    """Wall-clock time of the three steps of one inference."""

    preprocess_ms: float
    run_ms: float
    postprocess_ms: float

    @property
    def total_ms(self) -> float:
        """Sum of the three."""
        return self.preprocess_ms + self.run_ms + self.postprocess_ms


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where depth values come from.

    Args:
        model: The contract's name for people, e.g. "depth-anything-v2-vits".
        source_sha256: Of the checkpoint.
        runner: "onnxruntime", "tensorrt", ...
        provider: What really ran inside the runner, e.g. "CPUExecutionProvider".
        precision: "fp32", "fp16", "bf16" or "int8", as it ran.
        input_px: (h, w) of the network's input.
        image_px: (H, W) of the image.
        producer: "depthrt X.Y.Z".
        notes: Fallbacks and other things that the user was told on the way.
        timings: How long it took.
    """

    model: str
    source_sha256: str
    runner: str
    provider: str
    precision: str
    input_px: tuple[int, int]
    image_px: tuple[int, int]
    producer: str
    notes: tuple[str, ...]
    timings: Timings

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain types, ready for JSON."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Provenance:
        """Read what to_dict gave.

        Raises:
            InputError: A key is unknown or missing.
        """
        expected = {field.name for field in fields(cls)}
        timing_names = {field.name for field in fields(Timings)}
        timings = found.get("timings")
        if found.keys() != expected or not isinstance(timings, dict) or timings.keys() != timing_names:
            raise InputError(f"the provenance has the keys {sorted(found)}, expected {sorted(expected)}; infer again")
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in found.items()
        }
        values["timings"] = Timings(**timings)
        return cls(**values)

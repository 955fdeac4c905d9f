"""Where depth values come from, and how long they took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from ..errors import InputError
from ..system.field_types import Count, Length, Name, NotNegative, Positive, Range, Sentence, Sha256, printable
from ..system.records import read_record, to_json_object
from ..terms import Precision
from .intrinsics import Intrinsics

# Fields that a record has only if they are known.
_MAY_LACK = ("time_s", "focal_px", "camera", "stamp_ns", "age_ms", "skipped")
Nanoseconds = Annotated[int, Range(-(1 << 63), (1 << 63) - 1)]
# Of depth that would be metres.
NO_FOCAL = "no focal length was given, so the depth has no unit; focal_px, --focal-px or --fov makes metres of it"


@dataclass(frozen=True, slots=True)
class Timings:
    """Wall-clock time of the three steps of an inference."""

    preprocess_ms: NotNegative
    run_ms: NotNegative
    postprocess_ms: NotNegative

    @property
    def total_ms(self) -> float:
        """Return the sum of the three."""
        return self.preprocess_ms + self.run_ms + self.postprocess_ms


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where depth values come from.

    Args:
        model: The contract's name for people, e.g. "depth-anything-v2-vits".
        source_sha256: sha256 of the checkpoint file, in hexadecimal digits.
        runner: "onnxruntime", "tensorrt", ...
        provider: The part of the runner that ran, e.g. "CPUExecutionProvider".
        precision: "fp32", "fp16", "bf16" or "int8", as it ran.
        input_px: (h, w) of the network's input.
        image_px: (H, W) of the image.
        producer: "depthrt X.Y.Z".
        notes: Fallbacks and compromises, a sentence each.
        timings: Duration of the inference.
        time_s: When its video or camera shows the image; None for an image without a time.
        focal_px: Focal length of the image's camera that the depth is computed with; None if with none.
        camera: That took the image; None if it is not known.
        stamp_ns: Time that a live source gave the frame, in its own clock; else the computer's, since 1970.
        age_ms: Time from the arrival of a live frame until its depth was ready.
        skipped: Frames that arrived between this one and the one before, and were not used.
    """

    model: Name
    source_sha256: Sha256
    runner: Name
    provider: Name
    precision: Precision
    input_px: tuple[Count, Count]
    image_px: tuple[Count, Count]
    producer: Name
    notes: Annotated[tuple[Sentence, ...], Length(0, 1000)]
    timings: Timings
    time_s: NotNegative | None = None
    focal_px: Positive | None = None
    camera: Intrinsics | None = None
    stamp_ns: Nanoseconds | None = None
    age_ms: NotNegative | None = None
    skipped: Annotated[int, Range(0, (1 << 63) - 1)] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain types, ready for JSON: notes in one line each, nothing that is not known."""
        found = {key: list(value) if isinstance(value, tuple) else value for key, value in to_json_object(self).items()}
        found = {key: value for key, value in found.items() if value is not None or key not in _MAY_LACK}
        return {**found, "notes": [printable(note) for note in self.notes]}

    @classmethod
    def from_dict(cls, found: object) -> Provenance:
        """Read what to_dict gave.

        Raises:
            InputError: A key is unknown or missing, or a value is wrong; the message names it.
        """
        whole = {**dict.fromkeys(_MAY_LACK), **found} if isinstance(found, dict) else found
        return read_record(cls, whole, name="provenance", remedy="infer again", failure=InputError)

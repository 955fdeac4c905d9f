"""What a bag with depth is made of, with and from; it stands in the bag, and a resumed run goes on by it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from ...engine.depth.obstacles.gate import ObstacleGate
from ...engine.errors import InputError
from ...engine.system.field_types import Name, NotNegative, Range, Sentence, Sha256, Text
from ...engine.system.json_object import parse_object
from ...engine.system.records import read_record, to_json_object
from ...engine.terms import DepthEncoding, Kind

NAME = "depthrt"  # of the record in the bag
REMEDY = "remove the folder, or give another with -o"

Number = Annotated[int, Range(0, 1 << 62)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What the depth of a bag is made with, which a run that goes on must share.

    Args:
        source: Path of the bag that was read, as it was given.
        source_messages: Number of messages on all its topics.
        image_topic, camera_info_topic: That were read; None for no camera.
        depth_topic: That was written.
        kind, unit, encoding: Of the depth; unit is "m" or "".
        contract_sha256: Of the model's contract.
        points, copied, rectified: Whether points are written, all other topics are copied, images were rectified.
        gate: Which points are written; None for all.
    """

    OPTIONAL: ClassVar[tuple[str, ...]] = ("gate",)

    source: Sentence
    source_messages: Number
    image_topic: Sentence
    camera_info_topic: Sentence | None
    depth_topic: Sentence
    kind: Kind
    unit: Literal["m", ""]
    encoding: DepthEncoding
    contract_sha256: Sha256
    points: bool
    copied: bool
    rectified: bool
    gate: ObstacleGate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BagRecord:
    """The record of a bag with depth.

    Args:
        made: With what.
        producer: "depthrt X.Y.Z".
        drift: Of the runner's answer to the model file's canary from the float32 reference, a share of its range.
        steps: Images, and groups of copied messages without one, that are written or failed.
        images, failed: Images with depth, and without for an error.
        no_floor: Images with depth and without points, as the gate found no floor; None without a gate.
        finished: Whether all of the source was read.
        flaw: What of the source could not be read; "" for nothing.
    """

    FORMAT: ClassVar[int] = 1
    OPTIONAL: ClassVar[tuple[str, ...]] = ("no_floor",)

    made: Made
    producer: Name
    drift: NotNegative
    steps: Number = 0
    images: Number = 0
    failed: Number = 0
    no_floor: Number | None = None
    finished: bool = False
    flaw: Annotated[str, Text(0, 10_000)] = ""

    def to_json(self) -> str:
        """Return the record as JSON."""
        return json.dumps(to_json_object(self))

    @classmethod
    def from_json(cls, text: str) -> BagRecord:
        """Read what to_json wrote.

        Raises:
            InputError: A key is unknown or missing, or a value is wrong; the message names it.
        """
        found = parse_object(text, name=NAME, remedy=REMEDY, failure=InputError)
        return read_record(cls, found, name=NAME, remedy=REMEDY, failure=InputError)

"""The contract: what a model file promises. It stands in the file, and is read without the onnx library."""

from __future__ import annotations

import base64
import binascii
import json
import math
import shlex
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import stat_result
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Annotated, ClassVar, Literal

from ..errors import ContractError, ModelFileError
from ..system.field_types import Name, Positive, Range, Sentence, Sha256
from ..system.json_object import parse_object
from ..system.records import Mismatch, Older, read_record, to_json_object
from ..terms import MEANINGS, OUTPUT, SKY, Attention, Kind, Precision
from .adoption import Adoption
from .digest import Digest
from .format_1 import FORMAT_1
from .onnx_metadata import read_onnx_metadata
from .size_rule import Side, SizeRule, in_px

InputResize = Literal[
    "cubic", "bilinear_corners", "bilinear_antialias", "area_uint8", "cubic_uint8", "bilinear_uint8", "lanczos_uint8"
]
FinalResize = Literal["bilinear_corners", "bilinear_centres", "bicubic"]
Formula = Literal["discs-1"]
Mean = Annotated[float, Range(0, 1)]
Deviation = Annotated[float, Range(1e-4, 10)]  # of a colour in [0, 1]: 1/255 and 1 are in use

CHECKPOINT_SUFFIXES = (".pth", ".pt", ".safetensors", ".ckpt", ".bin")
ENGINE_SUFFIX = ".engine"
METADATA_KEY = "depthrt.contract"
MOST_CANARY_PX = 4096 * 4096  # of all images of its batch; the input takes 12 bytes each, and making it 60
MOST_TOLERANCE = 0.05  # of a canary, except in int8; bf16 has 0.02, and with more a canary would notice little
REMEDY = "export the model again"
_OF_KINDS: Mapping[str, tuple[Kind, ...]] = {  # fields that are null for other kinds
    "max_depth_m": ("metric",),
    "focal_unit_px": ("metric",),
    "sky_from": ("metric", "scale"),
}


@dataclass(frozen=True, slots=True)
class Canary:
    """A golden input and its answer, by which any runner is checked on any machine.

    Args:
        formula: Name of the formula that makes the input; see canary.py.
        size_px: (h, w) of the input.
        stride_px: The answer is the output at every stride_px-th row and column.
        answer: base64 of the answer, float32, little-endian, row by row: the float32 reference's. In an int8 file it
            is the file's answer in ONNX Runtime: int8 drifts from the reference by more than a fault does.
        tolerance: Largest drift allowed on any runner at the file's precision, as `drift` in canary.py returns it.
    """

    formula: Formula
    size_px: tuple[Side, Side]
    stride_px: Side
    answer: str
    tolerance: Annotated[float, Range(0, 1.5)]  # int8 has 1.5 times its budget, which is below 1

    def check(self) -> None:
        """Raise Mismatch unless the answer is base64 of one finite float32 for each sample."""
        if self.size_px[0] * self.size_px[1] > MOST_CANARY_PX:
            raise Mismatch(".size_px", f"is {in_px(self.size_px)}, expected at most {MOST_CANARY_PX} px")
        samples = math.prod(-(-side // self.stride_px) for side in self.size_px)
        try:
            values = base64.b64decode(self.answer, validate=True)
        except (binascii.Error, ValueError):  # of letters that are not ASCII
            raise Mismatch(".answer", f"is not base64 of {samples} float32 values") from None
        if len(values) != 4 * samples:
            size = f"{in_px(self.size_px)} and stride_px {self.stride_px}"
            raise Mismatch(".answer", f"has {len(values)} bytes, expected {4 * samples} for {size}")
        if not all(map(math.isfinite, _little_endian_floats(values))):
            raise Mismatch(".answer", "holds a value that is not finite")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Everything that a runtime must know to use a model file rightly.

    Noticed at each load: any change of the file, of its meaning or of the weights beside it (by the digest). Noticed at
    the first load on a machine: a runner that computes otherwise than the checkpoint (by the canary). Not noticed: a
    change by someone who makes a new digest; a bit that flips in memory after the load; in a file without a digest, a
    changed meaning, and a bit of a weight that the canary's answer does not show.

    Args:
        family: "depth-anything-v2", "midas", ...
        encoder: "vits", "vitb", ...
        kind: "inverse" (unitless, larger is nearer), "metric" (metres), "affine" (unitless, larger is farther, scale
            and shift unknown) or "scale" (unitless, larger is farther, scale unknown).
        max_depth_m: Upper end of a metric model's output; None if it has none, and for other kinds.
        size: How images are fitted to the input.
        mean, std: Of RGB in [0, 1]; the input is (RGB - mean) / std.
        input_resize: How the image is resized to the input's size.
        final_resize: How the output is resized to the image's size.
        mirrored: Whether the graph answers with the mean over a picture and its mirror image.
        steps: Steps of a diffusion model in the graph; None for other networks.
        seed: Of the noise in the graph that the steps start with; None for other networks, and for one step that
            starts with zeros.
        focal_unit_px: Of a metric model whose output is metres for a camera of this focal length, in px of the
            network's input; None if its output is metres for every camera.
        sky_from: Value of the graph's sky output from which a pixel is sky; None without such an output.
        batch: Number of images the graph takes; None for any number.
        precision: Of the graph's arithmetic; input and output are float32 always.
        in_float32: Kinds of modules that a half precision leaves in float32, e.g. "LayerNorm"; empty in fp32 and int8,
            and in files of format 1, which do not name them.
        attention: "fused" (com.microsoft MultiHeadAttention), "plain" (MatMul and Softmax), or "none" in the network.
        source_name, source_sha256: The checkpoint that the file was made from.
        licence: Of the weights, as their publisher states it, or "unknown".
        producer: "depthrt X.Y.Z".
        canary: The golden input and answer.
        adopted: Where an adopted file comes from. None, and no key in the JSON, in a file that was exported.
        digest: Of the ONNX file that the contract stands in. None, and no key in the JSON, in a file that an older
            depthrt wrote, and before the file is written.
        format: Version of the JSON that the contract was read from, in which it is written again; the digest covers it.
    """

    FORMAT: ClassVar[int] = 2  # newest version of the JSON; a reader refuses newer ones
    OLDER: ClassVar[Mapping[int, Older]] = {1: FORMAT_1}
    OPTIONAL: ClassVar[tuple[str, ...]] = ("adopted", "digest")

    family: Name
    encoder: Name
    kind: Kind
    max_depth_m: Positive | None
    size: SizeRule
    mean: tuple[Mean, Mean, Mean]
    std: tuple[Deviation, Deviation, Deviation]
    input_resize: InputResize = "cubic"
    final_resize: FinalResize
    mirrored: bool = False
    batch: Annotated[int, Range(1, 1024)] | None
    precision: Precision
    in_float32: tuple[Name, ...] = ()
    attention: Attention
    steps: Annotated[int, Range(1, 1000)] | None = None
    seed: Annotated[int, Range(0, (1 << 32) - 1)] | None = None
    focal_unit_px: Positive | None = None
    sky_from: Positive | None = None
    source_name: Name
    source_sha256: Sha256
    licence: Sentence
    producer: Name
    canary: Canary
    adopted: Adoption | None = None
    digest: Digest | None = None
    format: int = FORMAT

    @property
    def model(self) -> str:
        """Name for people, e.g. "depth-anything-v2-vits-metric-20m"."""
        largest = "" if self.max_depth_m is None else f"-{self.max_depth_m:g}m"
        return f"{self.family}-{self.encoder}{'-metric' if self.kind == 'metric' else ''}{largest}"

    @property
    def unit(self) -> str:
        """Return "m" for metric depth, "" for the other kinds, which have none."""
        return MEANINGS[self.kind].unit

    @property
    def metres_at(self) -> float | Literal["learned"] | None:
        """Return the focal length, in px of the network's input, at which the output is metres.

        "learned" for a metric network that has no such number: its metres hold for cameras like those of its training,
        and no focal length corrects them. None for depth without a unit.
        """
        if not self.unit:
            return None
        return "learned" if self.focal_unit_px is None else self.focal_unit_px

    @property
    def outputs(self) -> tuple[str, ...]:
        """Return the names of the graph's outputs, each (N, h, w) float32."""
        return (OUTPUT,) if self.sky_from is None else (OUTPUT, SKY)

    def kind_for(self, focal_px: float | None) -> Kind:
        """Return the kind of an image's depth: a metric model that needs a focal length has no unit without one.

        Args:
            focal_px: Of the image's camera; None if it is not known.
        """
        return "scale" if self.focal_unit_px is not None and focal_px is None else self.kind

    def check(self) -> None:
        """Raise Mismatch if values contradict each other."""
        self._check_meaning()
        self._check_canary()

    def _check_meaning(self) -> None:
        """Raise Mismatch for a value that other values leave without a meaning."""
        for name, kinds in _OF_KINDS.items():
            if (value := getattr(self, name)) is not None and self.kind not in kinds:
                raise Mismatch(f".{name}", f"is {value:g}, expected null for kind {self.kind}")
        if self.in_float32 and self.precision in ("fp32", "int8"):
            raise Mismatch(
                ".in_float32", f"holds {self.in_float32[0]}, expected nothing for precision {self.precision}"
            )
        if self.adopted is not None and self.adopted.sha256 != self.source_sha256:
            raise Mismatch(".adopted.sha256", f"is {self.adopted.sha256:.16}..., expected that of source_sha256")
        if self.seed is not None and self.steps is None:
            raise Mismatch(".seed", f"is {self.seed}, expected null where steps is null")
        if self.seed is None and self.steps is not None and self.steps > 1:
            raise Mismatch(".seed", f"is null, expected a whole number for {self.steps} steps")

    def _check_canary(self) -> None:
        """Raise Mismatch for a canary that is not one of this graph."""
        if self.precision != "int8" and self.canary.tolerance > MOST_TOLERANCE:
            raise Mismatch(
                ".canary.tolerance",
                f"is {self.canary.tolerance:g}, expected at most {MOST_TOLERANCE:g} for precision {self.precision}",
            )
        canary_px, rule = self.canary.size_px, self.size
        if rule.static and canary_px != rule.base_px:
            raise Mismatch(
                ".canary.size_px",
                f"is {in_px(canary_px)}, expected {in_px(rule.base_px)}, the size of the static graph",
            )
        if any(side % rule.multiple_px for side in canary_px):
            raise Mismatch(
                ".canary.size_px", f"is {in_px(canary_px)}, expected multiples of size.multiple_px, {rule.multiple_px}"
            )
        if canary_px[0] * canary_px[1] * (self.batch or 1) > MOST_CANARY_PX:
            raise Mismatch(
                ".batch", f"is {self.batch}, expected at most {MOST_CANARY_PX} px in a batch of {in_px(canary_px)}"
            )

    def without_digest(self) -> Contract:
        """Return the meaning: the contract without the digest of its file."""
        return replace(self, digest=None)

    def to_json(self) -> str:
        """Return the contract as JSON, as it stands in a model file."""
        return json.dumps(to_json_object(self))

    @classmethod
    def from_json(cls, text: str) -> Contract:
        """Read what to_json wrote.

        Raises:
            ContractError: Another format version, an unknown or missing key, a wrong value; the message names it.
        """
        return read_record(cls, parse_object(text, name="contract", remedy=REMEDY), name="contract", remedy=REMEDY)


def read_contract(path: str | Path) -> Contract:
    """Return the contract of a model file; takes the same time for any size of file.

    Raises:
        ModelFileError: The file is missing or is not an ONNX file; the message has the way out.
        ContractError: depthrt did not write the file, or another version did, or a value is wrong.
    """
    stat_model(Path(path))
    return read_contract_of(Path(path))


def read_contract_of(path: Path) -> Contract:
    """Return the contract of a file that stat_model accepted; see read_contract."""
    if path.suffix == ENGINE_SUFFIX:
        raise ModelFileError(f"{path} is a TensorRT engine; give the .onnx file that it was built from")
    metadata = read_onnx_metadata(path)
    if METADATA_KEY not in metadata:
        raise ContractError(
            f"{path} carries no depthrt contract, so its preprocessing and unit are unknown; "
            "take it with `depthrt adopt`, or make it from its checkpoint with `depthrt export`"
        )
    return Contract.from_json(metadata[METADATA_KEY])


def stat_model(path: Path) -> stat_result:
    """Return the size and times of what may be a model file.

    Raises:
        ModelFileError: It is missing or cannot be reached, or is a folder or a checkpoint; the message has the way out.
    """
    try:
        facts = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        facts = None
    except OSError as error:
        raise ModelFileError(f"{path} cannot be reached: {error.strerror or error}; check its name and rights") from (
            error
        )
    is_folder = facts is not None and S_ISDIR(facts.st_mode)
    if is_folder and not any((path / name).exists() for name in ("config.json", "model_index.json")):
        raise ModelFileError(f"{path} is a folder, expected an .onnx or .engine file; give the file in it")
    if is_folder or path.suffix in CHECKPOINT_SUFFIXES:
        command = shlex.join(["depthrt", "export", str(path), "-o", "model.onnx"])
        raise ModelFileError(f"{path} is a checkpoint; make a model file of it first: {command}")
    if facts is None:
        raise ModelFileError(
            f"{path} does not exist; give the .onnx file that `depthrt export` wrote, or an .engine of it"
        )
    if not S_ISREG(facts.st_mode):  # to read a pipe would wait for who writes it
        raise ModelFileError(f"{path} is a pipe or a device, expected an .onnx or .engine file; give the file")
    return facts


def _little_endian_floats(values: bytes) -> array[float]:
    """Return float32 values without importing numpy."""
    floats = array("f", values)
    if sys.byteorder == "big":
        floats.byteswap()
    return floats

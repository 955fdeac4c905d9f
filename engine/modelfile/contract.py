"""What a model file promises, read from the file itself without the onnx library."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ..errors import ContractError, ModelFileError
from ..system.files import check_reachable
from ..system.records import read_record
from ..terms import KINDS, Attention, Kind, Precision
from .onnx_metadata import read_onnx_metadata

Rule = Literal["lower_bound", "letterbox"]
FinalResize = Literal["bilinear_corners", "bilinear_centres"]

CHECKPOINT_SUFFIXES = (".pth", ".pt", ".safetensors", ".ckpt", ".bin")
METADATA_KEY = "depthrt.contract"
FORMAT = 1  # version of the JSON below; a reader refuses others


@dataclass(frozen=True, slots=True)
class SizeRule:
    """How an image's size becomes the network's input size.

    Args:
        base_px: (h, w) that the rule aims at; the exact input size of a static graph.
        multiple_px: Both input sides are multiples of this.
        rule: "lower_bound": both sides at least base, aspect kept, dynamic graph. "letterbox":
            the image fitted inside base, aspect kept, centred, mirrored around, static graph.
    """

    base_px: tuple[int, int]
    multiple_px: int
    rule: Rule

    @property
    def static(self) -> bool:
        """Whether the graph takes base_px and nothing else."""
        return self.rule == "letterbox"


@dataclass(frozen=True, slots=True)
class Canary:
    """A golden input and its answer, so that any runner can be checked anywhere.

    Args:
        formula: Name of the formula that makes the input; see canary.py.
        size_px: (h, w) of the input.
        stride_px: The answer is the output at every stride_px-th row and column.
        answer: base64 of the answer, float32, little-endian, row by row: the float32 reference; in an int8
            file its own answer in ONNX Runtime, since its drift from the reference is known and larger than a fault.
        tolerance: Largest allowed mean |difference| over the answer's 2-98 % range, on any runner
            at the file's precision.
    """

    formula: str
    size_px: tuple[int, int]
    stride_px: int
    answer: str
    tolerance: float


@dataclass(frozen=True, slots=True)
class Contract:
    """Everything a runtime must know to use a model file rightly.

    Args:
        family: "depth-anything-v1", "depth-anything-v2".
        encoder: "vits", "vitb", ...
        kind: "inverse" (unitless, larger is nearer) or "metric" (metres).
        max_depth_m: Upper end of a metric model's output; None for inverse.
        size: How images are fitted to the input.
        mean, std: Of RGB in [0, 1], subtracted and divided.
        final_resize: How the output is brought to the image's size.
        batch: Number of images the graph takes; None for any number.
        precision: Of the graph's arithmetic; input and output are float32 always.
        attention: "fused" (com.microsoft MultiHeadAttention), "plain" (MatMul and Softmax), or "none" in the network.
        source_name, source_sha256: The checkpoint that the file was made from.
        licence: Of the weights, as their publisher states it, or "unknown".
        producer: "depthrt X.Y.Z".
        canary: The golden input and answer.
    """

    family: str
    encoder: str
    kind: Kind
    max_depth_m: float | None
    size: SizeRule
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    final_resize: FinalResize
    batch: int | None
    precision: Precision
    attention: Attention
    source_name: str
    source_sha256: str
    licence: str
    producer: str
    canary: Canary

    @property
    def model(self) -> str:
        """Name for people, e.g. "depth-anything-v2-vits-metric-20m"."""
        name = f"{self.family}-{self.encoder}"
        return f"{name}-metric-{self.max_depth_m:g}m" if self.max_depth_m is not None else name

    @property
    def unit(self) -> str:
        """Return "m" for metric depth, "" for inverse depth, which has none."""
        return "m" if self.kind == "metric" else ""

    def to_json(self) -> str:
        """Return the contract as JSON, as it stands in a model file."""
        return json.dumps({"format": FORMAT, **asdict(self)})

    @classmethod
    def from_json(cls, text: str) -> Contract:
        """Read what to_json wrote.

        Raises:
            ContractError: Another format version, an unknown or missing key, a wrong value.
        """
        try:
            found = json.loads(text)
        except ValueError as error:
            raise ContractError(f"the contract is not JSON ({error}); export the model again") from error
        if not isinstance(found, dict):
            raise ContractError("the contract is not a JSON object; export the model again")
        version = found.pop("format", None)
        if version != FORMAT:
            raise ContractError(
                f"contract format {version!r} found, this depthrt reads format {FORMAT}; "
                "export the model again or install the depthrt that wrote it"
            )
        found["size"] = read_record(SizeRule, found.get("size"))
        found["canary"] = read_record(Canary, found.get("canary"))
        contract = read_record(cls, found)
        contract._check()
        return contract

    def _check(self) -> None:
        """Raise ContractError unless the values make sense together."""
        if self.kind not in KINDS:
            raise ContractError(f"kind {self.kind!r} found, expected one of {', '.join(KINDS)}")
        if (self.kind == "metric") != (self.max_depth_m is not None):
            raise ContractError(f"kind {self.kind} with max_depth_m {self.max_depth_m}: only metric models have one")
        if min(self.size.base_px) < 1 or self.size.multiple_px < 1 or min(self.std) <= 0:
            raise ContractError(f"size {self.size} or std {self.std} is not positive; export the model again")


def read_contract(path: str | Path) -> Contract:
    """Read the contract of a model file; takes the same time for any size of file.

    Raises:
        ModelFileError: The file is missing or no ONNX file; the message has the way out.
        ContractError: It is an ONNX file that depthrt did not write, or of another version.
    """
    path = Path(path)
    refuse_other_files(path)
    if path.suffix == ".engine":
        raise ModelFileError(f"{path} is a TensorRT engine; give the .onnx file that it was built from")
    metadata = read_onnx_metadata(path)
    if METADATA_KEY not in metadata:
        raise ContractError(
            f"{path} carries no depthrt contract, so its preprocessing and unit are unknown; "
            "make it from its checkpoint with `depthrt export`"
        )
    return Contract.from_json(metadata[METADATA_KEY])


def refuse_other_files(path: Path) -> None:
    """Raise ModelFileError with the way out for what looks like something else than a model file."""
    check_reachable(path, ModelFileError)
    if path.is_dir() and not (path / "config.json").exists():
        raise ModelFileError(f"{path} is a folder, expected an .onnx or .engine file; give the file in it")
    if path.is_dir() or path.suffix in CHECKPOINT_SUFFIXES:
        command = shlex.join(["depthrt", "export", str(path), "-o", "model.onnx"])
        raise ModelFileError(f"{path} is a checkpoint; make a model file of it first: {command}")
    if not path.exists():
        raise ModelFileError(
            f"{path} does not exist; give the .onnx file that `depthrt export` wrote, or an .engine of it"
        )

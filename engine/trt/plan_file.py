"""The `.engine` file: a header that describes a TensorRT plan, and the plan; read without TensorRT or a GPU.

Little-endian: MAGIC, format (uint32), bytes of the header (uint32), sha256 of the header, the header (JSON),
zeros up to a multiple of ALIGNMENT, the plan.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

from ..errors import ContractError, ModelFileError
from ..modelfile.contract import Contract
from ..modelfile.misplaced import misplaced
from ..system.field_types import Bytes, Length, Name, Pattern, Range, Sha256, Text
from ..system.files import open_file
from ..system.first_bytes import HEAD_BYTES
from ..system.json_object import parse_object
from ..system.records import Mismatch, check_record, read_record, to_json_object
from ..terms import Precision
from .build_options import BuildOptions, Capabilities, Profile
from .library import Flavour

MAGIC = b"\x89DRTENG\n"
FORMAT = 1  # version of the layout and of the JSON; a reader refuses others
ALIGNMENT = 4096
_LONGEST_HEADER = 64 << 20  # bytes; a header has 6,000, up to 22 million with the largest canary
_FIXED = struct.Struct("<8sII32s")
_NAME, _REMEDY = "engine header", "build the engine again"  # for errors


@dataclass(frozen=True, slots=True)
class PlanTensor:
    """An input or output of a plan.

    Args:
        name: As in the ONNX file.
        mode: "input" or "output".
        dtype: numpy's name of the type.
        shape: With -1 for an open side.
        profiles: The shapes that an input takes, an entry for each optimization profile.
    """

    name: Name
    mode: Literal["input", "output"]
    dtype: Annotated[str, Pattern("[a-z]{1,16}[0-9]{0,3}", "such as float32")]
    shape: Annotated[tuple[Annotated[int, Range(-1, 1 << 20)], ...], Length(1, 8)]
    profiles: Annotated[tuple[Profile, ...], Length(0, 16)] = ()

    def check(self) -> None:
        """Raise Mismatch unless the shape is possible and every profile agrees with it."""
        if 0 in self.shape:
            raise Mismatch(".shape", f"is {list(self.shape)}, expected -1 or at least 1 on every axis")
        for number, profile in enumerate(self.profiles):
            fixed = [(axis, side) for axis, side in enumerate(self.shape) if side != -1]
            if len(self.shape) != len(profile.opt) or any(
                shape[axis] != side for axis, side in fixed for shape in (profile.min, profile.opt, profile.max)
            ):
                raise Mismatch(f".profiles[{number}]", f"has other sides than the tensor's shape, {list(self.shape)}")


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """What an engine file states of its plan.

    Args:
        contract: Of the ONNX file; it has a canary of another size if the plan does not take the file's.
        tensors: Inputs and outputs.
        flavour: "tensorrt" or "tensorrt-rtx"; the other cannot run the plan.
        tensorrt_version: Of the TensorRT that built the plan.
        compute_capabilities: Of the GPUs that it runs on. Empty: portable, for every GPU from 8.0 on that TensorRT-RTX
            supports.
        gpu: Name of the GPU that it was built on; "" if the build needed none.
        onnx_sha256: Of the ONNX file.
        options: Of the build.
        plan_bytes, plan_sha256: Of the plan.
        producer: "depthrt X.Y.Z".
    """

    contract: Contract
    tensors: Annotated[tuple[PlanTensor, ...], Length(1, 64)]
    flavour: Flavour
    tensorrt_version: Annotated[str, Pattern(r"[0-9A-Za-z.+_-]{1,64}", "such as 10.13.0")]
    compute_capabilities: Capabilities
    gpu: Annotated[str, Text(0, 255)]
    onnx_sha256: Sha256
    options: BuildOptions
    plan_bytes: Bytes
    plan_sha256: Sha256
    producer: Name

    @property
    def precision(self) -> Precision:
        """Return the precision of the arithmetic."""
        return self.contract.precision

    @property
    def runs_on(self) -> str:
        """Return what the plan runs on in words, e.g. "portable, compute capability 8.0 and later"."""
        if not self.compute_capabilities:
            return "portable, compute capability 8.0 and later"
        gpu = f" ({self.gpu})" if self.gpu else ""
        return f"compute capability {', '.join(self.compute_capabilities)}{gpu}"

    def inputs(self) -> tuple[PlanTensor, ...]:
        """Return the inputs."""
        return tuple(tensor for tensor in self.tensors if tensor.mode == "input")

    def to_dict(self) -> dict[str, Any]:
        """Return the header as it stands in the file's JSON."""
        return to_json_object(self)

    @classmethod
    def from_dict(cls, found: object) -> PlanHeader:
        """Read what to_dict gave.

        Raises:
            ContractError: An unknown or missing key or a wrong value, or the contract is of another version.
        """
        return read_record(cls, found, name=_NAME, remedy=_REMEDY)


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A whole engine file: its header, and the plan with its hash checked."""

    header: PlanHeader
    plan: bytes


def write_plan_file(path: Path, header: PlanHeader, plan: bytes | memoryview) -> None:
    """Write an engine file; not atomically, so the caller gives a temporary path."""
    check_record(header, name=_NAME, remedy="this is a fault of depthrt")
    text = json.dumps(header.to_dict()).encode()
    start = _FIXED.pack(MAGIC, FORMAT, len(text), sha256(text).digest()) + text
    with path.open("wb") as file:
        file.write(start.ljust(_aligned(len(start)), b"\0"))
        file.write(plan)


def read_plan_header(path: str | Path) -> PlanHeader:
    """Read the header and not the plan; takes the same time for any size of plan.

    Raises:
        ModelFileError: The file is missing, foreign, truncated, or its header is damaged.
        ContractError: The file is of another version.
    """
    path = Path(path)
    try:
        with open_file(path, expected="an engine file", failure=ModelFileError) as file:
            header = _read_start(file, path)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}") from error
    return header


def read_plan_file(path: str | Path) -> PlanFile:
    """Read an engine file and check the plan's hash: TensorRT does not notice a flipped byte.

    Raises:
        ModelFileError: The file is missing, foreign, truncated or damaged.
        ContractError: The file is of another version.
    """
    path = Path(path)
    header = read_plan_header(path)
    return PlanFile(header, read_plan(path, header))


def read_plan(path: Path, header: PlanHeader) -> bytes:
    """Read the plan of an engine file, which ends the file, and check its hash.

    Raises:
        ModelFileError: The file is missing or damaged, or was replaced since its header was read.
    """
    try:
        with open_file(path, expected="an engine file", failure=ModelFileError) as file:
            file.seek(max(0, file.seek(0, 2) - header.plan_bytes))
            plan = file.read(header.plan_bytes)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}") from error
    if sha256(plan).hexdigest() != header.plan_sha256:
        raise ModelFileError(f"{path} is damaged: its plan has another sha256 than its header says; {_REMEDY}")
    return plan


def _read_start(file: BinaryIO, path: Path) -> PlanHeader:
    """Return the header; the file must be as long as the header says."""
    fixed = file.read(_FIXED.size)
    if fixed[: len(MAGIC)] != MAGIC[: len(fixed)] or not fixed:
        file.seek(0)
        other = misplaced(file.read(HEAD_BYTES), str(path), expected="a TensorRT engine")
        raise ModelFileError(
            other or f"{path} is not an engine file of depthrt; make one with: depthrt build model.onnx -o {path.name}"
        )
    if len(fixed) < _FIXED.size:
        raise _truncated(path, len(fixed), "its header")
    _, version, length, digest = _FIXED.unpack(fixed)
    if version != FORMAT:
        raise ContractError(
            f"{path} has engine format {version}, this depthrt reads format {FORMAT}; "
            f"{_REMEDY} or install the depthrt that wrote it"
        )
    if length > _LONGEST_HEADER:
        raise ModelFileError(
            f"{path} is damaged: its header has {length} bytes, expected at most {_LONGEST_HEADER}; {_REMEDY}"
        )
    found_bytes = file.seek(0, 2)
    start = _aligned(_FIXED.size + length)
    if found_bytes < start:
        raise _truncated(path, found_bytes, f"a header of {start} bytes")
    file.seek(_FIXED.size)
    text = file.read(length)
    if sha256(text).digest() != digest:
        raise ModelFileError(f"{path} is damaged: its header has another sha256 than was written; {_REMEDY}")
    header = PlanHeader.from_dict(parse_object(text, name=_NAME, remedy=_REMEDY))
    expected_bytes = start + header.plan_bytes
    if found_bytes < expected_bytes:
        raise _truncated(path, found_bytes, f"{expected_bytes} bytes")
    if found_bytes > expected_bytes:
        raise ModelFileError(f"{path} has {found_bytes} bytes, expected {expected_bytes}; {_REMEDY}")
    return header


def _truncated(path: Path, found_bytes: int, expected: str) -> ModelFileError:
    return ModelFileError(f"{path} is truncated: it ends after {found_bytes} bytes, expected {expected}; copy it again")


def _aligned(count: int) -> int:
    return -(-count // ALIGNMENT) * ALIGNMENT

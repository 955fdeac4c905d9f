"""Tensors as a file of torch.save stores them: a place in the file, a type, a shape; read when they are used."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ....engine.errors import ModelFileError

MOST_REPEATED = 1 << 26  # values of a tensor beyond those that the file holds; the largest tensor of ViT-g has 38 M
_DTYPES = {  # by the name of a storage's class
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexDoubleStorage": torch.complex128,
    "ComplexFloatStorage": torch.complex64,
    "QUInt8Storage": torch.quint8,
    "QInt8Storage": torch.qint8,
    "QInt32Storage": torch.qint32,
    "QUInt4x2Storage": torch.quint4x2,
    "QUInt2x4Storage": torch.quint2x4,
    "UntypedStorage": torch.uint8,
}
# The types that every operation takes. With others torch raises, or ends the process (a strided view of qint8).
_READABLE = {torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.complex64, torch.complex128, torch.bool}
_READABLE |= {torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64}
_NOT_PLAIN = "expected float weights; give the checkpoint that it was made from"


@dataclass(eq=False, slots=True)
class Storage:
    """A run of numbers in a file.

    Args:
        dtype: Of its numbers; uint8 for bytes of any type.
        count: Of its numbers.
        read_bytes: Returns its bytes as a writable buffer, which is never the file itself.
    """

    dtype: torch.dtype
    count: int
    read_bytes: Callable[[], object]
    _values: dict[torch.dtype, Tensor] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """Its length."""
        return self.count * self.dtype.itemsize

    def values(self, dtype: torch.dtype) -> Tensor:
        """Return all of its numbers as a flat tensor, which shares memory with earlier ones of that type."""
        if dtype not in self._values:
            buffer = self.read_bytes() if self.size_bytes else b""
            self._values[dtype] = torch.frombuffer(buffer, dtype=dtype) if self.size_bytes else torch.empty(0).to(dtype)
        return self._values[dtype]


@dataclass(eq=False, frozen=True, slots=True)
class StoredTensor:
    """A tensor that is read when it is used.

    Args:
        storage: Where its numbers are; None for a tensor that is not plain.
        what: Of a tensor that is not plain, e.g. "a sparse tensor"; otherwise its type.
        dtype, offset, shape, strides: Of the plain tensor, in numbers.
    """

    storage: Storage | None
    what: str
    dtype: torch.dtype = torch.uint8
    offset: int = 0
    shape: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()

    def read(self) -> Tensor:
        """Return the tensor; its numbers stay in the file until they are used, if the file is not compressed.

        Raises:
            ModelFileError: It is not a plain tensor, or has far more values than the file holds for it.
        """
        if self.storage is None or self.dtype not in _READABLE:
            raise ModelFileError(f"is {self.what}, {_NOT_PLAIN}")
        tensor = self.storage.values(self.dtype).as_strided(self.shape, self.strides, self.offset)
        check_held([tensor], MOST_REPEATED)
        return tensor


def check_held(tensors: Iterable[Tensor], most: int) -> None:
    """Refuse tensors with many values for which no memory is held, because strides of 0 repeat few numbers.

    Args:
        tensors: On the CPU.
        most: Values without memory, of all tensors together.

    Raises:
        ModelFileError: With both numbers; the message has no subject.
    """
    sizes = [(tensor.numel(), tensor.untyped_storage().nbytes() // tensor.itemsize) for tensor in tensors]
    if sum(max(0, count - held) for count, held in sizes) > most:
        counts, held = (sum(column) for column in zip(*sizes, strict=True))
        raise ModelFileError(
            f"has {counts} values and the file holds {held} for them, expected one for each; "
            "save the weights with .contiguous()"
        )


def storage_dtype(name: str) -> torch.dtype | None:
    """Return the type of the numbers of a storage class, None for a class that is no storage."""
    module, _, last = name.rpartition(".")
    return _DTYPES.get(last) if module.split(".")[0] == "torch" else None


def rebuild(name: str, arguments: tuple[object, ...]) -> StoredTensor:
    """Return the tensor that a function of torch._utils would build.

    Args:
        name: Of the function, without torch._utils.
        arguments: As in the file.

    Raises:
        ValueError: The tensor reaches past its storage.
    """
    if name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"):
        storage, offset, shape, strides, *rest = arguments
        if not isinstance(storage, Storage):
            return StoredTensor(None, "a tensor without numbers")
        dtype = rest[2] if name == "_rebuild_tensor_v3" else storage.dtype
        return _plain(storage, dtype, offset, shape, strides)
    if name in ("_rebuild_parameter", "_rebuild_parameter_with_state") and isinstance(arguments[0], StoredTensor):
        return arguments[0]
    kind = name.removeprefix("_rebuild_").removesuffix("_no_storage").removesuffix("_tensor").replace("_", " ")
    return StoredTensor(None, f"a {'quantised' if kind == 'qtensor' else kind} tensor")


def _plain(storage: Storage, dtype: object, offset: object, shape: object, strides: object) -> StoredTensor:
    sizes = (_counts(offset, 1), _counts(shape, 64), _counts(strides, 64))
    if not isinstance(dtype, torch.dtype) or None in sizes:
        raise ValueError("a tensor has no usable type, shape or strides")
    (start,), dims, steps = (tuple(size or ()) for size in sizes)
    last = start + sum((dim - 1) * step for dim, step in zip(dims, steps, strict=True))
    if math.prod(dims) and (last + 1) * dtype.itemsize > storage.size_bytes:
        raise ValueError(f"a tensor needs {(last + 1) * dtype.itemsize} bytes of {storage.size_bytes}")
    return StoredTensor(storage, str(dtype).removeprefix("torch."), dtype, start, dims, steps)


def _counts(found: object, most: int) -> tuple[int, ...] | None:
    """Return numbers that count something, None if they are something else."""
    values = found if isinstance(found, tuple | list) else (found,)
    if len(values) > most or not all(type(value) is int and 0 <= value < 1 << 48 for value in values):
        return None
    return tuple(values)

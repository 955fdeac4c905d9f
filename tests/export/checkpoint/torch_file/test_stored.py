"""Tensors of a file are read when they are used, and only plain ones within their storage."""

from __future__ import annotations

import pytest
import torch

from depthrt.engine.errors import ModelFileError
from depthrt.export.checkpoint.torch_file import stored
from depthrt.export.checkpoint.torch_file.stored import Storage, StoredTensor, check_held, rebuild, storage_dtype

NUMBERS = torch.arange(12, dtype=torch.float32)


def storage(*, reads: list[int] | None = None) -> Storage:
    def read() -> bytearray:
        if reads is not None:
            reads.append(1)
        return bytearray(NUMBERS.numpy().tobytes())

    return Storage(torch.float32, 12, read)


def test_a_tensor_is_read_when_it_is_used_and_shares_its_numbers() -> None:
    reads: list[int] = []
    held = storage(reads=reads)
    first = rebuild("_rebuild_tensor_v2", (held, 2, (2, 3), (4, 1), False, {}))
    second = rebuild("_rebuild_tensor", (held, 0, (12,), (1,)))
    assert reads == []
    assert torch.equal(first.read(), NUMBERS.as_strided((2, 3), (4, 1), 2))
    second.read()[2] = 7
    assert first.read()[0, 0] == 7 and reads == [1]


def test_bytes_are_read_as_the_type_that_a_tensor_names() -> None:
    held = Storage(torch.uint8, 48, lambda: bytearray(NUMBERS.numpy().tobytes()))
    found = rebuild("_rebuild_tensor_v3", (held, 0, (12,), (1,), False, {}, torch.float32))
    assert torch.equal(found.read(), NUMBERS)


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (13,), (1,)),
        (1, (12,), (1,)),
        (0, (2, 2), (11, 2)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (-2,), (1,)),
        (0, (2**62,), (0,)),
        (0, (2, 2), (1,)),
        (0, (1.5,), (1,)),
        (0, (True,), (1,)),
        (0, "12", (1,)),
        (None, (2,), (1,)),
        (0, (1,) * 65, (1,) * 65),
        (0, (2,), (2**60,)),
    ],
)
def test_a_tensor_past_its_storage_or_without_a_shape_is_refused(
    offset: object, shape: object, strides: object
) -> None:
    with pytest.raises((ValueError, TypeError)):
        rebuild("_rebuild_tensor_v2", (storage(), offset, shape, strides, False, {}))


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("_rebuild_qtensor", "a quantised tensor"),
        ("_rebuild_sparse_tensor", "a sparse tensor"),
        ("_rebuild_meta_tensor_no_storage", "a meta tensor"),
        ("_rebuild_nested_tensor", "a nested tensor"),
        ("_rebuild_wrapper_subclass", "a wrapper subclass tensor"),
        ("_rebuild_device_tensor_from_numpy", "a device tensor from numpy tensor"),
    ],
)
def test_a_tensor_that_is_not_plain_is_refused_when_it_is_used(name: str, what: str) -> None:
    found = rebuild(name, (storage(), 1, 2, 3))
    with pytest.raises(ModelFileError, match=f"^is {what}, expected float weights"):
        found.read()


@pytest.mark.parametrize("dtype", [torch.qint8, torch.quint4x2, torch.float8_e4m3fn, torch.uint16])
def test_a_type_that_no_plain_tensor_has_is_refused(dtype: torch.dtype) -> None:
    found = StoredTensor(Storage(dtype, 4, lambda: bytearray(4)), "quantised", dtype, 0, (2,), (1,))
    with pytest.raises(ModelFileError, match="expected float weights"):
        found.read()


def test_a_view_without_memory_is_refused_before_it_takes_any() -> None:
    found = rebuild("_rebuild_tensor_v2", (storage(), 0, (stored.MOST_REPEATED + 13,), (0,), False, {}))
    with pytest.raises(ModelFileError, match="values and the file holds 12 for them, expected one for each"):
        found.read()
    check_held([torch.zeros(1).expand(100)], 99)
    with pytest.raises(ModelFileError, match="has 200 values and the file holds 2"):
        check_held([torch.zeros(1).expand(100)] * 2, 197)


def test_an_empty_storage_is_an_empty_tensor() -> None:
    found = rebuild("_rebuild_tensor_v2", (Storage(torch.float16, 0, lambda: b""), 0, (0, 3), (3, 1), False, {}))
    assert found.read().shape == (0, 3) and found.read().dtype == torch.float16


def test_storages_have_the_type_that_their_class_names() -> None:
    assert storage_dtype("torch.HalfStorage") is torch.float16
    assert storage_dtype("torch.cuda.FloatStorage") is torch.float32
    assert storage_dtype("torch.storage.UntypedStorage") is torch.uint8
    assert storage_dtype("torch.nn.Linear") is None and storage_dtype("somewhere.FloatStorage") is None

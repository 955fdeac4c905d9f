"""Both containers of torch.save give the tensors that torch reads from them."""

from __future__ import annotations

import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hostile_pickles import called, named, text, whole, write_zip

from depthrt.export.checkpoint.torch_file.containers import read_old, read_zip
from depthrt.export.checkpoint.torch_file.names import NeedsCode
from depthrt.export.checkpoint.torch_file.stored import StoredTensor
from depthrt.export.checkpoint.torch_file.unpickle import Malformed

TYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.complex64]
TYPES += [torch.complex128, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]


def tensors() -> dict[str, torch.Tensor]:
    many = {str(dtype): torch.arange(7).to(dtype) for dtype in TYPES}
    base = torch.arange(24.0).view(2, 3, 4)
    views = {"view": base[:, 1:, ::2], "turned": base.permute(2, 0, 1), "0-d": base[1, 1, 1]}
    return many | views | {"empty": torch.zeros(0, 3)}


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old"])
def test_every_tensor_is_the_one_that_torch_reads(old: bool, tmp_path: Path) -> None:
    torch.save(tensors(), tmp_path / "x.pth", _use_new_zipfile_serialization=not old)
    found: Any = (read_old if old else read_zip)(tmp_path / "x.pth")
    expected = torch.load(tmp_path / "x.pth", weights_only=True)
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert isinstance(found[name], StoredTensor)
        read = found[name].read()
        assert read.dtype == tensor.dtype and read.stride() == tensor.stride(), name
        assert [read.tolist()] == [tensor.tolist()]


def storage_id(count: int, *, key: bytes = text("0"), of_class: str = "FloatStorage") -> bytes:
    number = pickle.LONG4 + struct.pack("<i", 8) + struct.pack("<q", count)
    parts = text("storage") + named("torch", of_class) + key + text("cpu") + number
    return pickle.MARK + parts + pickle.TUPLE + pickle.BINPERSID


def tensor_of(storage: bytes, count: int) -> bytes:
    size = pickle.BININT + struct.pack("<i", count) + pickle.TUPLE1
    rest = (pickle.NEWFALSE, pickle.EMPTY_DICT)
    return called(named("torch._utils", "_rebuild_tensor_v2"), storage, b"K\x00", size, b"K\x01" + pickle.TUPLE1, *rest)


@pytest.mark.parametrize("order", [b"little", b"big"])
def test_numbers_are_read_in_the_order_of_bytes_that_the_file_names(order: bytes, tmp_path: Path) -> None:
    sign = "<" if order == b"little" else ">"
    numbers = struct.pack(f"{sign}2f", 1.5, -2.0)
    path = write_zip(tmp_path / "x.pth", whole(tensor_of(storage_id(2), 2)), **{"0": numbers})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x/byteorder", order)
    found = read_zip(path)
    assert isinstance(found, StoredTensor) and found.read().tolist() == [1.5, -2.0]


@pytest.mark.parametrize(
    ("persistent", "failure"),
    [
        (storage_id(10**9), Malformed),
        (storage_id(3), Malformed),
        (storage_id(-1), Malformed),
        (storage_id(1, key=text("1")), Malformed),
        (storage_id(1, key=text("../data/0")), Malformed),
        (storage_id(1, key=pickle.NONE), Malformed),
        (storage_id(1, of_class="Tensor"), Malformed),
        (text("storage") + pickle.BINPERSID, NeedsCode),
        (pickle.MARK + text("file") + text("/etc/passwd") + pickle.TUPLE + pickle.BINPERSID, NeedsCode),
        (pickle.EMPTY_TUPLE + pickle.BINPERSID, NeedsCode),
    ],
    ids=["huge", "too large", "negative", "another key", "a path", "no key", "no storage", "a text", "a file", "empty"],
)
def test_a_storage_that_is_not_in_the_file_is_refused(
    persistent: bytes, failure: type[Exception], tmp_path: Path
) -> None:
    path = write_zip(tmp_path / "x.pth", whole(persistent), **{"0": bytes(8)})
    with pytest.raises(failure):
        read_zip(path)


def test_an_old_file_whose_sizes_disagree_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.arange(5.0)}, tmp_path / "x.pth", _use_new_zipfile_serialization=False)
    content = bytearray((tmp_path / "x.pth").read_bytes())
    place = len(content) - 5 * 4 - 8
    assert int.from_bytes(content[place : place + 8], "little") == 5
    content[place] = 4
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(Malformed, match="sizes of its storages differ"):
        read_old(tmp_path / "x.pth")


def test_an_unknown_order_of_bytes_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.pth", whole(pickle.NONE))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x/byteorder", b"middle")
    with pytest.raises(Malformed, match="order of bytes is unknown"):
        read_zip(path)

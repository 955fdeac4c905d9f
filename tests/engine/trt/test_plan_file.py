from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from made_engine import PLAN, make_header, write_engine

from depthrt import ContractError, DepthrtError, ModelFileError
from depthrt.engine.trt.plan_file import ALIGNMENT, PlanHeader, read_plan_file, read_plan_header, write_plan_file

FIXED_BYTES = 48  # before the JSON


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    return write_engine(tmp_path / "model.engine")


def damage(path: Path, change: Callable[[bytearray], object]) -> Path:
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)
    return path


def flip(data: bytearray, at: int) -> None:
    data[at] ^= 1


def cut(data: bytearray, length: int) -> None:
    del data[length:]


def rewrite_header(path: Path, change: Callable[[dict[str, object]], object]) -> Path:
    """Change the header's JSON, with lengths and hash that are right."""
    found = make_header().to_dict()
    change(found)
    text = json.dumps(found).encode()
    start = struct.pack("<8sII32s", path.read_bytes()[:8], 1, len(text), sha256(text).digest()) + text
    path.write_bytes(start.ljust(-(-len(start) // ALIGNMENT) * ALIGNMENT, b"\0") + PLAN)
    return path


def test_what_was_written_comes_back(engine: Path) -> None:
    read = read_plan_file(engine)
    assert read.header == read_plan_header(engine) == make_header()
    assert read.plan == PLAN
    assert read.header.precision == "fp32" and read.header.runs_on == "compute capability 8.9, 12.0"
    assert [tensor.name for tensor in read.header.inputs()] == ["image"]


def test_a_header_rewritten_as_it_was_is_the_same_file(engine: Path) -> None:
    before = engine.read_bytes()
    assert rewrite_header(engine, lambda header: None).read_bytes() == before


def test_the_header_is_read_without_looking_at_the_plan(engine: Path) -> None:
    damage(engine, lambda data: flip(data, len(data) - 1))
    assert read_plan_header(engine) == make_header()
    with pytest.raises(ModelFileError, match=r"its plan has another sha256"):
        read_plan_file(engine)


def test_no_flipped_byte_goes_unnoticed(engine: Path) -> None:
    whole = engine.read_bytes()
    (length,) = struct.unpack_from("<I", whole, 12)
    meant = [*range(FIXED_BYTES + length), *range(len(whole) - len(PLAN), len(whole))]  # the rest is zeros between
    for at in meant[:: len(meant) // 300] + list(range(FIXED_BYTES)):
        engine.write_bytes(whole)
        damage(engine, lambda data, at=at: flip(data, at))  # type: ignore[misc]
        with pytest.raises(DepthrtError) as caught:
            read_plan_file(engine)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "message", "change"),
    [
        (ModelFileError, "is not an engine file of depthrt; make one with: depthrt build", lambda data: data.clear()),
        (ModelFileError, "is not an engine file of depthrt", lambda data: flip(data, 0)),
        (ModelFileError, "ends after 20 bytes, expected its header; copy it again", lambda data: cut(data, 20)),
        (ModelFileError, "ends after 100 bytes, expected a header of 8192 bytes", lambda data: cut(data, 100)),
        (ModelFileError, "ends after 18431 bytes, expected 18432 bytes", lambda data: data.pop()),
        (ModelFileError, "has 18433 bytes, expected 18432", lambda data: data.append(0)),
        (ContractError, "has engine format 2, this depthrt reads format 1; build", lambda data: data.__setitem__(8, 2)),
        (ModelFileError, "damaged: its header has another sha256", lambda data: flip(data, FIXED_BYTES + 9)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("read", [read_plan_header, read_plan_file])
def test_each_damage_is_named(
    engine: Path,
    read: Callable[[Path], object],
    error: type[DepthrtError],
    message: str,
    change: Callable[[bytearray], object],
) -> None:
    with pytest.raises(error, match=message):
        read(damage(engine, change))


@pytest.mark.parametrize(
    ("message", "change"),
    [
        (r"engine header\.colour is an unknown key; build the engine again", lambda header: header.update(colour=1)),
        (r"engine header\.flavour is missing; build", lambda header: header.pop("flavour")),
        (r"engine header\.options\.x is an unknown key", lambda header: header["options"].update(x=1)),
        (r"engine header\.tensors\[0\]\.x is an unknown key", lambda header: header["tensors"][0].update(x=1)),
        (r"engine header\.contract\.format is 99, this", lambda header: header["contract"].update(format=99)),
    ],
)
def test_a_header_of_another_make_is_refused(
    engine: Path, message: str, change: Callable[[dict[str, object]], object]
) -> None:
    with pytest.raises(ContractError, match=message):
        read_plan_header(rewrite_header(engine, change))


def test_a_header_that_takes_gigabytes_is_refused(engine: Path) -> None:
    damage(engine, lambda data: data.__setitem__(slice(12, 16), struct.pack("<I", 2**31)))
    with pytest.raises(ModelFileError, match="its header has 2147483648 bytes, expected at most 67108864; build"):
        read_plan_header(engine)


@pytest.mark.parametrize("text", [b"{", b"[" * 100_000, b'{"contract": NaN}', b'{"gpu": "", "gpu": ""}', b"\xff"])
def test_a_header_that_is_not_json_is_refused(engine: Path, text: bytes) -> None:
    start = struct.pack("<8sII32s", engine.read_bytes()[:8], 1, len(text), sha256(text).digest()) + text
    engine.write_bytes(start.ljust(-(-len(start) // ALIGNMENT) * ALIGNMENT, b"\0") + PLAN)
    with pytest.raises(ContractError, match=r"engine header is (not )?JSON .*; build the engine again") as caught:
        read_plan_header(engine)
    assert "\n" not in str(caught.value)


def test_a_header_that_nobody_could_read_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"engine header\.tensorrt_version is '1\.7 beta', expected text such as"):
        write_plan_file(tmp_path / "model.engine", replace(make_header(), tensorrt_version="1.7 beta"), PLAN)
    assert list(tmp_path.iterdir()) == []


def test_a_header_that_is_no_object_is_refused() -> None:
    with pytest.raises(ContractError, match=r"engine header is a list of 0, expected an object"):
        PlanHeader.from_dict([])


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    for read in (read_plan_header, read_plan_file):
        with pytest.raises(ModelFileError, match=r"nothing\.engine cannot be read: No such file"):
            read(tmp_path / "nothing.engine")

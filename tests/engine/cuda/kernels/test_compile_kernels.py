from __future__ import annotations

import struct

from depthrt.engine.cuda.kernels.compile_kernels import ARCHITECTURES, PTX_ARCHITECTURE, hash_lines
from depthrt.engine.cuda.kernels.kernels import FATBIN, SHA256, SOURCE

# Source: the layout that NVIDIA's fatbinary writes: a header, then each part with its own
HEADER, PART = "<IHHQ", "<HHIQ12xI"
MAGIC = 0xBA55ED50
PTX, MACHINE_CODE = 1, 2
LARGEST_BYTES = 200_000


def test_the_compiled_kernels_are_those_of_the_source() -> None:
    found = SHA256.read_text(encoding="ascii")
    assert found == hash_lines(SOURCE.read_bytes(), FATBIN.read_bytes()), (
        "engine/cuda/kernels/kernels.cu or kernels.fatbin was changed: run `make kernels` and commit all three files"
    )


def test_the_compiled_kernels_are_small_and_have_every_architecture() -> None:
    data = FATBIN.read_bytes()
    magic, _, at, size = struct.unpack_from(HEADER, data)
    assert magic == MAGIC and at + size == len(data) <= LARGEST_BYTES
    parts = set()
    while at < len(data):
        kind, _, header_bytes, part_bytes, architecture = struct.unpack_from(PART, data, at)
        parts.add((kind, str(architecture)))
        at += header_bytes + part_bytes
    assert parts == {(MACHINE_CODE, name) for name in ARCHITECTURES} | {(PTX, PTX_ARCHITECTURE)}

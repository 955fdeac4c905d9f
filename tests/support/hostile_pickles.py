"""Pickles written instruction by instruction, and files of torch.save that hold a given pickle."""

from __future__ import annotations

import pickle
import struct
import zipfile
from pathlib import Path


def named(module: str, name: str) -> bytes:
    """Return the instruction that names a class or function."""
    return b"c" + f"{module}\n{name}\n".encode()


def on_stack(module: str, name: str) -> bytes:
    """Return the instructions that name a class or function by two texts, as protocol 4 does."""
    return text(module) + text(name) + pickle.STACK_GLOBAL


def text(words: str) -> bytes:
    content = words.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(content)) + content


def called(function: bytes, *arguments: bytes) -> bytes:
    """Return the instructions of a call."""
    return function + pickle.MARK + b"".join(arguments) + pickle.TUPLE + pickle.REDUCE


def whole(*instructions: bytes, protocol: int = 2) -> bytes:
    return pickle.PROTO + bytes([protocol]) + b"".join(instructions) + pickle.STOP


def write_zip(path: Path, pickled: bytes, **storages: bytes) -> Path:
    """Write a file as torch.save does since 1.6, with a pickle of our choice."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", pickled)
        archive.writestr("x/version", b"3\n")
        for key, content in storages.items():
            archive.writestr(f"x/data/{key}", content)
    return path

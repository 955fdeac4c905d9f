"""Weights too large for one ONNX file: names for the files beside it, and removal of those no longer in use."""

from __future__ import annotations

import mmap
import os
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from ...engine.system.files import longest_name_bytes

_OURS = re.compile(r".+-[0-9a-f]{12}\.data")


def fresh_name(path: Path, contract_json: str) -> Path:
    """Return a new file name beside `path`, for the weights of a file with this contract."""
    # model_file.py finds the weights by the contract's hash at the end of its name.
    contract_sha256 = sha256(contract_json.encode()).hexdigest()
    ending = f"-{secrets.token_hex(4)}-{contract_sha256[:12]}.data"
    final = path.resolve()
    left = longest_name_bytes(final.parent) - len(ending)
    return final.with_name(os.fsencode(path.stem)[:left].decode(errors="ignore") + ending)


def weights_of(path: Path) -> list[Path]:
    """Return the files of weights that an export wrote beside an ONNX file and that it names; [] if it is whole."""
    final = path.resolve()
    beside = [file for file in final.parent.glob("*.data") if _OURS.fullmatch(file.name)]
    return [file for file in beside if _names(final, file)]


def remove_orphans(weights: Iterable[Path]) -> None:
    """Remove each file of weights that no ONNX file in its folder names."""
    for file in weights:
        if not any(_names(onnx, file) for onnx in file.parent.glob("*.onnx*")):  # also model.onnx.bak
            with suppress(OSError):  # gone, or mapped by another process
                file.unlink()


def _names(onnx: Path, weights: Path) -> bool:
    """Return whether a file contains the name of the weights; searching takes no memory, reading the graph would."""
    try:
        if not onnx.is_file() or onnx.stat().st_size == 0:
            return False
        with onnx.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(weights.name.encode()) >= 0
    except (OSError, ValueError):  # cannot be read, or was changed meanwhile: it may name them
        return True

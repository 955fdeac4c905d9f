"""Weights too large for one ONNX file: the name they get beside it, and which of those there no file names any more."""

from __future__ import annotations

import mmap
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

_OURS = re.compile(r".+-[0-9a-f]{12}\.data")


def fresh_name(path: Path, contract_json: str) -> Path:
    """Return a file beside `path` that is not there yet, for the weights of a file with this contract."""
    # identify_file finds it by the contract's hash at the end of its name.
    contract_sha256 = sha256(contract_json.encode()).hexdigest()
    return path.resolve().with_name(f"{path.stem}-{secrets.token_hex(4)}-{contract_sha256[:12]}.data")


def weights_of(path: Path) -> list[Path]:
    """Return the files beside an ONNX file that an export wrote and that it names, which are none where it is whole."""
    final = path.resolve()
    beside = [one for one in final.parent.glob("*.data") if _OURS.fullmatch(one.name)]
    return [one for one in beside if _names(final, one)]


def remove_orphans(weights: Iterable[Path]) -> None:
    """Remove those of some weights that no ONNX file in their folder names."""
    for one in weights:
        if not any(_names(other, one) for other in one.parent.glob("*.onnx*")):  # copies put aside, too
            with suppress(OSError):  # gone, or another process has it mapped
                one.unlink()


def _names(onnx: Path, weights: Path) -> bool:
    """Return whether the name stands anywhere in a file; a search takes no memory, and reading the graph would."""
    try:
        if not onnx.is_file() or onnx.stat().st_size == 0:
            return False
        with onnx.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(weights.name.encode()) >= 0
    except (OSError, ValueError):  # cannot be read, or changed meanwhile: it may name them
        return True

"""What tells one model file from another without reading it all: its contract, size and time of change."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..errors import ModelFileError
from .contract import Contract

Identity = dict[str, object]


def identify_file(path: Path, contract: Contract) -> Identity:
    """Return what a model file is known by, wherever it lies; weights in a file beside it count.

    Raises:
        ModelFileError: The file cannot be read, or is gone since it was loaded.
    """
    contract_sha256 = hashlib.sha256(contract.to_json().encode()).hexdigest()
    # Weights too large for the file itself lie beside it, under a name that ends in the contract's hash.
    parts = [path, *sorted(path.resolve().parent.glob(f"*-{contract_sha256[:12]}.data"))]
    try:
        stamps = [[found.st_size, found.st_mtime_ns] for found in (part.stat() for part in parts)]
    except OSError as error:
        raise ModelFileError(
            f"{error.filename} cannot be read: {error.strerror}; give the file that was loaded"
        ) from error
    return {"contract_sha256": contract_sha256, "size_bytes_mtime_ns": stamps}

"""Seals a model file at export: its contract gets the digest of the file; and compares a file with its digest."""

from __future__ import annotations

from dataclasses import replace
from os import stat_result
from pathlib import Path

from ..errors import ModelFileError
from ..system.files import check_plain
from .contract import METADATA_KEY, Contract
from .digest import NO_CRC32, NO_SHA256, Beside, Digest, Span, sum_crc32, sum_sha256
from .model_file import ModelFile, weights_beside
from .onnx_metadata import encode_entry, read_onnx_entries

_REMEDY = "copy it again from where it is whole, or export it again"


def seal_file(path: Path, contract: Contract, weights: Path | None = None) -> Contract:
    """Append a contract with the file's digest to an ONNX file that has no contract; return the contract.

    Args:
        path: The ONNX file; it is not replaced but appended to, so the caller gives a temporary path.
        contract: Of the file; a digest that it has is replaced.
        weights: The file beside it that holds its weights.
    """
    size_bytes = path.stat().st_size
    digest = Digest(size_bytes, NO_CRC32, NO_SHA256, () if weights is None else (_beside(weights),))
    whole = [(0, size_bytes)]
    digest = replace(digest, sha256=sum_sha256(path, whole, _text(contract, digest)))
    digest = replace(digest, crc32=sum_crc32(path, whole, _text(contract, digest)))
    sealed = replace(contract, digest=digest)
    with path.open("ab") as file:
        file.write(encode_entry(METADATA_KEY, sealed.to_json()))
    return sealed


def check_whole(path: Path, contract: Contract, *, thorough: bool = False) -> None:
    """Compare an ONNX file and the weights beside it with its digest; reads every byte. Without a digest: do nothing.

    Args:
        path: The file.
        contract: As it stands in the file.
        thorough: Compare sha256, not crc32.

    Raises:
        ModelFileError: A byte of the file, a value of its contract or a byte of the weights beside it was changed, or
            they cannot be read.
    """
    digest = contract.digest
    if digest is None:
        return
    try:
        spans, size_bytes = _outside_contract(path, contract)
        bare = replace(digest, crc32=NO_CRC32, sha256=NO_SHA256 if thorough else digest.sha256)
        _compare(path, digest, spans, size_bytes, _text(contract, bare), thorough=thorough)
        for beside in digest.weights:
            file = path.with_name(beside.name)  # of a link to a model file, the runtimes look beside the link
            size = _stat_beside(path, file).st_size
            _compare(file, beside, [(0, size)], size, b"", thorough=thorough)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}; {_REMEDY}") from error


def sum_bytes(file: ModelFile) -> list[str]:
    """Return crc32 of a file without a digest and of each file of weights beside it; reads every byte.

    Raises:
        ModelFileError: They cannot be read.
    """
    try:
        beside = weights_beside(file.path, file.contract)
        for weights in beside:
            check_plain(weights, expected="the weights of a model file", failure=ModelFileError)
        paths = [file.path, *beside]
        return [sum_crc32(path, [(0, path.stat().st_size)]) for path in paths]
    except OSError as error:
        raise ModelFileError(f"{file.path} cannot be read: {error.strerror or error}; {_REMEDY}") from error


def _compare(
    path: Path, known: Digest | Beside, spans: list[Span], size_bytes: int, end: bytes, *, thorough: bool
) -> None:
    """Raise ModelFileError unless the spans of a file have the known size and sum."""
    if size_bytes != known.bytes:
        what, found, expected = "bytes", str(size_bytes), str(known.bytes)
    elif thorough:
        what, found, expected = "sha256", sum_sha256(path, spans, end), known.sha256
    else:
        what, found, expected = "crc32", sum_crc32(path, spans, end), known.crc32
    if found != expected:
        raise _changed(path, f"{what} {found:.16} found, {expected:.16} expected")


def _changed(path: Path, reason: str) -> ModelFileError:
    return ModelFileError(f"{path} was changed since it was exported, or is damaged: {reason}; {_REMEDY}")


def _text(contract: Contract, digest: Digest) -> bytes:
    """Return the JSON of a contract with a digest."""
    return replace(contract, digest=digest).to_json().encode()


def _outside_contract(path: Path, contract: Contract) -> tuple[list[Span], int]:
    """Return the spans of an ONNX file before and after its contract, and their size.

    Raises:
        ModelFileError: The contract does not stand there as it was written.
    """
    entry, written = read_onnx_entries(path)[METADATA_KEY], encode_entry(METADATA_KEY, contract.to_json())
    with path.open("rb") as file:
        size_bytes = file.seek(0, 2)
        file.seek(entry.start)
        if file.read(entry.end - entry.start) != written:
            raise _changed(path, "its contract does not stand there as it was written")
    return [(0, entry.start), (entry.end, size_bytes)], size_bytes - len(written)


def _beside(path: Path) -> Beside:
    size_bytes = path.stat().st_size
    whole = [(0, size_bytes)]
    return Beside(path.name, size_bytes, sum_crc32(path, whole), sum_sha256(path, whole))


def _stat_beside(path: Path, weights: Path) -> stat_result:
    try:
        return weights.stat()
    except FileNotFoundError:
        raise ModelFileError(
            f"{path} has its weights in {weights.name}, which is not beside it; copy both files to one folder"
        ) from None

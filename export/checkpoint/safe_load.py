"""A weights file becomes plain data; no code in the file is run."""

from __future__ import annotations

import contextlib
import errno
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import safetensors

from ...engine.errors import ModelFileError
from ...engine.modelfile.misplaced import misplaced
from ...engine.system.files import file_sha256
from ...engine.system.first_bytes import HEAD_BYTES
from .torch_file.containers import read_old, read_zip
from .torch_file.names import NeedsCode
from .torch_file.objects import StandIn

CHUNK_BYTES = 1 << 20
LEGACY_MAGIC = bytes.fromhex("8a0a6cfc9c46f9206aa85019")  # the pickled number at the start of files of torch < 1.6
MOST_EXPANSION = 16  # of a compressed file; weights compress to 0.5 of their size or more
SMALL_BYTES = 16 << 20  # which a compressed file may unpack to, whatever its size
_ENCRYPTED = 0x1  # bit of a member's flags. Source: APPNOTE.TXT 6.3.10, section 4.4.4
HEADER_LIMIT_BYTES = 100_000_000  # of a safetensors header. Source: safetensors README, format
MOST_HEADER_BYTES = 10 << 20  # that are read, some 100,000 tensors; each costs 2 KB of memory

_SIGNATURES = {  # first bytes -> what the file is and what to do
    b"version https://git-lfs": "is a Git LFS pointer and not the weights; run `git lfs pull`",
    b"<": "is a web page and not the weights; the download went wrong, fetch the file again",
    b"GGUF": "is a GGUF file; give the PyTorch or safetensors file that it was made from",
    b"\x89HDF": "is an HDF5 file; give the PyTorch or safetensors file of the model",
}


@dataclass(frozen=True, slots=True)
class Contents:
    """Contents of a checkpoint file or folder.

    Args:
        data: Mappings, lists and plain values with tensors at the leaves, or tensors that are read later, as saved.
        file_format: "PyTorch", "PyTorch before 1.6", "safetensors", "Hugging Face folder".
        sha256: Of the file; for a sharded folder, of the shards' hexadecimal hashes one after the other.
        metadata: Texts in the header of a safetensors file.
    """

    data: object
    file_format: str
    sha256: str
    metadata: Mapping[str, str] = field(default_factory=dict)


def load_file(path: Path) -> Contents:
    """Read a checkpoint file as plain data; large tensors stay on the disk until they are used.

    Args:
        path: A file of torch.save or safetensors. Its first bytes decide which, not its suffix.

    Raises:
        ModelFileError: The file is missing, damaged, not a checkpoint, or needs code to be run.
    """
    with reading(path):
        if path.exists() and not path.is_file():
            raise ModelFileError(f"{path} is neither a file nor a folder; give a weights file")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        size = path.stat().st_size
        if not head:
            raise ModelFileError(f"{path} is empty (0 bytes); download or save it again")
        # safetensors first: the length at its start can look like the start of a pickle
        header_bytes = int.from_bytes(head[:8], "little")
        if head[8:9] == b"{" and header_bytes <= HEADER_LIMIT_BYTES:
            return _load_safetensors(path, size, header_bytes)
        if head.startswith(b"PK\x03\x04"):
            return Contents(_load_zip(path, size), "PyTorch", file_sha256(path))
        if head[:1] == b"\x80":
            return Contents(_load_legacy(path, head), "PyTorch before 1.6", file_sha256(path))
        raise ModelFileError(misplaced(head, str(path), expected="a checkpoint") or f"{path} {_describe_other(head)}")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise errors of the operating system about a path as one line."""
    try:
        yield
    except FileNotFoundError as error:
        raise ModelFileError(f"{path} does not exist; give a weights file or a Hugging Face folder") from error
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or shown(error)}") from error


def shown(text: object, limit: int = 120) -> str:
    """Return a text from a file in a form fit for a message: one line, printable, of limited length."""
    line = "".join(letter if letter.isprintable() else "?" for letter in str(text).strip())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def _describe_other(head: bytes) -> str:
    """Return what a file with these first bytes is, as the end of a message."""
    for sign, what in _SIGNATURES.items():
        if head.lstrip().startswith(sign):
            return what
    return (
        f"is not a checkpoint: it begins with {shown(repr(head[:12]))}; "
        "expected a .pth or .pt file of torch.save, a .safetensors file or a Hugging Face folder"
    )


def _load_zip(path: Path, size: int) -> object:
    try:
        with zipfile.ZipFile(path) as archive:
            _check_archive(path, archive, size)
    except ModelFileError:
        raise
    except Exception as error:  # zipfile and its decompressors have many types
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):  # EINVAL: an offset outside the file
            raise
        raise ModelFileError(
            f"{path} is damaged or cut off after {size} bytes ({shown(error)}); download or copy it again"
        ) from error
    return _plain_data(path, read_zip)


def _check_archive(path: Path, archive: zipfile.ZipFile, size: int) -> None:
    """Refuse archives that are not checkpoints, that unpack to far more than they hold, or with a wrong checksum."""
    members = archive.infolist()
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise ModelFileError(f"{path} is a zip file with a password; unpack it and zip it again without one")
    names = [member.filename for member in members]
    if not any(name.endswith("/data.pkl") for name in names):
        raise ModelFileError(
            f"{path} is a zip file but not a checkpoint: it holds {shown(', '.join(names[:3]) or 'nothing')}; "
            "unpack it and give the weights file"
        )
    if any(name.endswith("/constants.pkl") for name in names):
        raise ModelFileError(
            f"{path} is a TorchScript program, which holds code beside weights; "
            "give the weights it was made from, saved with torch.save(model.state_dict(), ...)"
        )
    _check_sizes(path, members, size)
    for member in members:
        if member.CRC:  # 0: written without checksums
            with archive.open(member) as file:  # raises BadZipFile at the end if the checksum differs
                while file.read(CHUNK_BYTES):
                    pass


def _check_sizes(path: Path, members: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse an archive whose members overlap, or whose compressed members unpack to far more than weights do."""
    if sum(member.compress_size for member in members) > size:
        raise ModelFileError(
            f"{path} is damaged or cut off after {size} bytes (its parts overlap); download or copy it again"
        )
    packed = [member for member in members if member.compress_type != zipfile.ZIP_STORED]
    unpacked = sum(member.file_size for member in packed)
    if unpacked > MOST_EXPANSION * size + SMALL_BYTES:
        raise ModelFileError(
            f"{path} has {size} bytes and unpacks to {unpacked}, expected at most {MOST_EXPANSION} times its size; "
            "if you trust it, unpack it and zip it again with `zip -0 -r`"
        )


def _load_legacy(path: Path, head: bytes) -> object:
    if LEGACY_MAGIC not in head:
        raise ModelFileError(
            f"{path} is a bare pickle, which can run any code when it is opened, so it was not opened; "
            "if you trust it, open it and save the weights with torch.save(state_dict, ...)"
        )
    return _plain_data(path, read_old)


def _plain_data(path: Path, read: Callable[[Path], object]) -> object:
    """Read a file of torch.save; what it cannot be read for becomes one line."""
    try:
        found = read(path)
    except NeedsCode as error:
        raise ModelFileError(f"{path} {_needs(error)}") from error
    except OSError:
        raise
    except Exception as error:  # zipfile and its decompressors have many types
        raise ModelFileError(f"{path} is damaged or cut off ({shown(error)}); download or copy it again") from error
    if isinstance(found, StandIn):
        if not found.items:
            raise ModelFileError(f"{path} {_needs(found.name)}")
        return found.items
    return found


def _needs(name: object) -> str:
    return (
        f"needs {shown(name)}, which plain weights never do; it was refused and nothing was run; if you trust it, load "
        "it where it was made and save only the weights with torch.save(model.state_dict(), ...)"
    )


def _load_safetensors(path: Path, size: int, header_bytes: int) -> Contents:
    if header_bytes > MOST_HEADER_BYTES:
        raise ModelFileError(
            f"{path} has a header of {header_bytes} bytes, expected at most {MOST_HEADER_BYTES}; "
            "save only the weights of one model"
        )
    if not str(path).isascii() and str(path) != str(path).encode("utf-8", "replace").decode():
        raise ModelFileError(f"{path} has a name that is not UTF-8, which safetensors cannot open; rename it")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            return Contents(tensors, "safetensors", file_sha256(path), metadata=file.metadata() or {})
    except safetensors.SafetensorError as error:
        raise ModelFileError(
            f"{path} is damaged or cut off after {size} bytes ({shown(error)}); download or copy it again"
        ) from error

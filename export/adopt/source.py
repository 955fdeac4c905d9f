"""The ONNX file that a path means, the folder of what lies beside it, and the repository that it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...engine.errors import InputError, ModelFileError
from ...engine.system.field_types import printable
from ...engine.system.files import check_named, check_plain, file_sha256
from ..hub_cache import find_snapshot

SUFFIX = ".onnx"
SETTINGS = ("config.json", "preprocessor_config.json")
ONNX_FOLDER = "onnx"  # of a repository, in which its ONNX files lie; its settings lie above
_PLAIN = "model"  # begins names of files that say nothing of the network


@dataclass(frozen=True, slots=True)
class Source:
    """An ONNX file of others.

    Args:
        path: The file.
        folder: Of its config.json and preprocessor_config.json.
        repository: "ORG/NAME" if it lies in the hub's cache, else "".
        revision: Commit of the repository, or "".
        sha256: Of the file.
    """

    path: Path
    folder: Path
    repository: str
    revision: str
    sha256: str

    @property
    def name(self) -> str:
        """Return where it comes from, for a contract: "ORG/NAME@REVISION", or the file's name."""
        found = f"{self.repository}@{self.revision}" if self.repository else self.path.name
        return printable(found, 255)

    @property
    def label(self) -> str:
        """Return a name of the network for people: the file's, after that of its folder if it says "model" only."""
        stem = self.path.stem
        folder = (self.repository or self.folder.name).rpartition("/")[2]
        return printable(f"{folder}-{stem}" if stem.lower().startswith(_PLAIN) and folder else stem, 200)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names by which a published model may be recognised, nearest first."""
        return tuple(filter(None, (self.path.stem, self.folder.name, self.repository)))


def find_source(given: Path) -> Source:
    """Return the ONNX file that a path means.

    Args:
        given: A file, or a folder that holds one ONNX file, at its top or in its folder "onnx".

    Raises:
        InputError: The folder holds several, and which one is meant is not said.
        ModelFileError: There is no such file.
    """
    check_named(given, "model", ModelFileError)
    path = _only_file(given) if given.is_dir() else given
    try:
        check_plain(path, expected="an ONNX file", failure=ModelFileError)
        sha256 = file_sha256(path)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}; give an .onnx file") from error
    snapshot = find_snapshot(path.absolute().parent)
    repository, revision = ("", "") if snapshot is None else (snapshot.repository, snapshot.commit)
    return Source(path, _settings_folder(path), repository, revision, sha256)


def _only_file(folder: Path) -> Path:
    """Return the only ONNX file of a folder."""
    found = sorted((*folder.glob(f"*{SUFFIX}"), *(folder / ONNX_FOLDER).glob(f"*{SUFFIX}")))
    if not found:
        raise ModelFileError(f"{folder} holds no .onnx file; give the file itself")
    if len(found) > 1:
        listed = ", ".join(str(path.relative_to(folder)) for path in found)
        raise InputError(f"{folder} holds {len(found)} ONNX files: {listed}; give one of them")
    return found[0]


def _settings_folder(path: Path) -> Path:
    """Return the folder of the settings: that of the file, or the one above a folder "onnx"."""
    folder = path.absolute().parent
    own = any((folder / name).is_file() for name in SETTINGS)
    return folder.parent if folder.name == ONNX_FOLDER and not own else folder

"""The Hugging Face hub's cache on the disk: which repository and commit a path in it is of, and where its bytes lie.

A commit lies in models--ORG--NAME/snapshots/<commit>; its files are links into models--ORG--NAME/blobs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

BLOBS = "blobs"
_MODELS, _SNAPSHOTS = "models--", "snapshots"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A commit of a repository of models in the hub's cache.

    Args:
        folder: Of its files.
        repository: "ORG/NAME".
        commit: Its hash.
    """

    folder: Path
    repository: str
    commit: str

    @property
    def blobs(self) -> Path:
        """Return the folder that its files are links into, which is itself no link."""
        return self.folder.parents[1].resolve() / BLOBS


def find_snapshot(path: Path) -> Snapshot | None:
    """Return the commit whose folder a path is, or lies in; None outside the hub's cache. The disk is not read.

    Args:
        path: Absolute, unless the parts that it has are meant to count.
    """
    for folder in (path, *path.parents):
        if folder.parent.name == _SNAPSHOTS and folder.parents[1].name.startswith(_MODELS):
            repository = folder.parents[1].name.removeprefix(_MODELS).replace("--", "/")
            return Snapshot(folder, repository, folder.name)
    return None

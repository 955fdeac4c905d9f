"""The file of a release on GitHub."""

from __future__ import annotations

from ..families.entry import CatalogEntry, ReleaseSource
from .remote import RemoteFile

GITHUB = "https://github.com"


def release_file(entry: CatalogEntry, source: ReleaseSource, first_sha256: str) -> RemoteFile:
    """Return the file of a release.

    Args:
        entry: The model.
        source: Where it is.
        first_sha256: Of the first download on this machine; "" if there was none.
    """
    return RemoteFile(
        name=source.file,
        url=f"{GITHUB}/{source.repository}/releases/download/{source.tag}/{source.file}",
        page=source.page,
        sha256=first_sha256 or entry.sha256,
    )

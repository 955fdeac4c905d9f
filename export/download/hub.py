"""Files of a repository on the Hugging Face hub, by huggingface_hub: endpoint, token, cache and offline mode are its.

Only the bytes come by transfer.py: huggingface_hub 2.4 removes what it received when it is interrupted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.errors import BackendUnavailable, FetchError
from ..families.entry import HubSource
from ..hub_cache import BLOBS
from .remote import RemoteFile

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

_OF_LIBRARY = ("huggingface_hub", "httpx", "httpx2", "requests")  # whose errors are about the hub or the way to it


@dataclass(frozen=True, slots=True)
class Listing:
    """Files of one commit of a repository.

    Args:
        commit: Its hash.
        files: Those that the source names, by path.
    """

    commit: str
    files: tuple[RemoteFile, ...]


@dataclass(frozen=True, slots=True)
class Described:
    """What the hub tells of a repository of models.

    Args:
        commit: Its hash.
        licence: As its card states it, or "".
        bases: Repositories of the models that its weights come from, as its card states them.
        sizes_bytes: Of its files, by path.
    """

    commit: str
    licence: str
    bases: tuple[str, ...]
    sizes_bytes: Mapping[str, int]


def describe(source: HubSource) -> Described:
    """Ask the hub what a repository holds, whatever files the source names.

    Raises:
        FetchError: The hub cannot be reached or refuses.
        BackendUnavailable: huggingface_hub is not installed.
    """
    with _errors(source.page):
        from huggingface_hub import HfApi

        info = HfApi().model_info(source.repository, revision=source.revision, files_metadata=True)
    card = info.card_data
    found = [] if card is None else [card.license_name or card.license, card.base_model]
    licence, bases = found or (None, None)
    return Described(
        commit=info.sha or source.revision,
        licence=licence if isinstance(licence, str) else "",
        bases=(bases,) if isinstance(bases, str) else tuple(map(str, bases or ())),
        sizes_bytes={sibling.rfilename: sibling.size or 0 for sibling in info.siblings or ()},
    )


def list_files(source: HubSource) -> Listing:
    """Ask the hub for the files of a source.

    Raises:
        FetchError: The hub cannot be reached or refuses, or the repository lacks a file.
        BackendUnavailable: huggingface_hub is not installed.
    """
    with _errors(source.page):
        from huggingface_hub import HfApi, hf_hub_url
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        ask = HfApi().space_info if source.kind == "space" else HfApi().model_info
        info = ask(source.repository, revision=source.revision, files_metadata=True)
        found = {sibling.rfilename: sibling for sibling in info.siblings or ()}
        names = choose(source, found)
        commit = info.sha or source.revision
        headers = build_hf_headers()
        urls = {name: hf_hub_url(source.repository, name, repo_type=source.kind, revision=commit) for name in names}
    return Listing(commit, tuple(_remote(source, found[name], urls[name], headers) for name in names))


def choose(source: HubSource, present: Iterable[str]) -> list[str]:
    """Return the paths of a repository that a source names.

    Raises:
        FetchError: The repository has none for one of its names, or a name leads out of it.
    """
    present = sorted(present)
    outside = [name for name in present if "\\" in name or name.startswith("/") or ".." in name.split("/")]
    if outside:
        raise FetchError(f"{source.page} names a file outside its folder, {outside[0]!r}; do not use it")
    chosen: dict[str, None] = {}
    for wanted in source.files:
        matches = [[name for name in present if fnmatchcase(name, one)] for one in wanted.split("|")]
        first = next(filter(None, matches), None)
        if first is None:
            raise FetchError(f"{source.page} has no {wanted}; look what its publisher did")
        chosen |= dict.fromkeys(first)
    return list(chosen)


def blob_path(source: HubSource, file: RemoteFile) -> Path:
    """Return where the hub's cache keeps the bytes of a file."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    folder = repo_folder_name(repo_id=source.repository, repo_type=source.kind)
    return Path(constants.HF_HUB_CACHE) / folder / BLOBS / (file.sha256 or file.git_sha1)


def put_into_cache(source: HubSource, listing: Listing) -> dict[str, Path]:
    """Let huggingface_hub name blobs of its cache by their commit; return where each file lies.

    Raises:
        FetchError: The hub refuses.
    """
    with _errors(source.page):
        from huggingface_hub import hf_hub_download

        return {
            file.name: Path(
                hf_hub_download(source.repository, file.name, repo_type=source.kind, revision=source.revision)
            )
            for file in listing.files
        }


def find_in_cache(source: HubSource) -> tuple[str, dict[str, Path]] | None:
    """Return the commit that the hub's cache holds of a source, and where each file lies; None if one is missing."""
    with _errors(source.page):
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError

        try:
            folder = Path(
                snapshot_download(
                    source.repository, repo_type=source.kind, revision=source.revision, local_files_only=True
                )
            )
            names = choose(source, (path.relative_to(folder).as_posix() for path in folder.rglob("*")))
        except (LocalEntryNotFoundError, FetchError):
            return None
    return folder.name, {name: folder / name for name in names}


def _remote(source: HubSource, sibling: RepoSibling, url: str, headers: dict[str, str]) -> RemoteFile:
    large = sibling.lfs
    return RemoteFile(
        name=sibling.rfilename,
        url=url,
        page=source.page,
        headers=headers,
        size_bytes=sibling.size,
        sha256=large.sha256 if large is not None else "",
        git_sha1=sibling.blob_id or "" if large is None else "",
    )


@contextmanager
def _errors(page: str) -> Iterator[None]:
    """Raise what goes wrong between here and the hub as one line; name the extra if huggingface_hub is missing."""
    try:
        yield
    except ImportError as error:
        raise BackendUnavailable(f"{error}; install it with: pip install 'depthrt[hub]'") from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in _OF_LIBRARY:
            raise
        told = re.sub(r"\s*\(Request ID: [^)]*\)", "", " ".join(str(error).split())).rstrip(".")
        raise FetchError(f"{page}: {told or type(error).__name__}; check the connection, or fetch it later") from error

"""Every published model, by file or repository name: family, kind, maximum depth, licence; quick, without torch."""

from __future__ import annotations

import re
from difflib import get_close_matches

from ..engine.errors import InputError
from .families.entry import CatalogEntry
from .families.published import depth_anything, depth_anything3, marigold, midas, zoedepth

# Endings that others add to a published name: file types, precisions, copies made by a browser.
_DECORATIONS = re.compile(r"(\.(pth|pt|bin|ckpt|safetensors)|[-_](fp16|fp32|bf16)|[-_]hf|\s*\(\d+\))$")


def find(name: str) -> CatalogEntry | None:
    """Return the entry of a name, or None.

    Args:
        name: A model name, a file name (any weights suffix, "_fp16" and the like ignored), a
            repository or the folder it was downloaded to. Upper and lower case are the same.
    """
    return _BY_NAME.get(_plain(name))


def find_published(name: str) -> CatalogEntry:
    """Return the entry of a model that can be fetched.

    Raises:
        InputError: No model has the name, or it is not published.
    """
    entry = find(name)
    if entry is None:
        names = [entry.name for entry in CATALOG if entry.source is not None]
        near = get_close_matches(name.lower(), names, n=3, cutoff=0.5)
        told = f"did you mean {' or '.join(near)}? " if near else ""
        raise InputError(f"{name!r} is no model of the catalog; {told}`depthrt models` lists them")
    if entry.source is None:
        raise InputError(f"{entry.name} was announced by its publisher and is not published; choose another model")
    return entry


def _plain(name: str) -> str:
    """Return the last part of a name in lower case without decorations, which is different for each model."""
    plain = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1].lower()
    while (shorter := _DECORATIONS.sub("", plain)) != plain:
        plain = shorter
    return plain.replace("_", "-")


CATALOG: tuple[CatalogEntry, ...] = (
    *depth_anything.ENTRIES,
    *depth_anything3.ENTRIES,
    *midas.ENTRIES,
    *zoedepth.ENTRIES,
    *marigold.ENTRIES,
)

_BY_NAME = {_plain(name): entry for entry in CATALOG for name in entry.names}

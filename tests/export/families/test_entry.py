"""An entry of the catalog is known by all its names."""

from __future__ import annotations

from dataclasses import replace

from depthrt.export.catalog import CATALOG


def test_every_name_of_a_model_is_listed() -> None:
    entry = replace(CATALOG[0], repositories=("a/b",), other_names=("old.pt",))
    assert entry.names == (entry.name, entry.file_name, "a/b", "old.pt")

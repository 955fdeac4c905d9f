"""An entry of the catalog is known by all its names, and says where it is published and what was run."""

from __future__ import annotations

from dataclasses import replace

from depthrt.export.catalog import CATALOG
from depthrt.export.families.entry import HubSource, ReleaseSource, Verified


def test_every_name_of_a_model_is_listed() -> None:
    entry = replace(CATALOG[0], repositories=("a/b",), other_names=("old.pt",))
    assert entry.names == (entry.name, entry.file_name, "a/b", "old.pt")


def test_a_source_has_a_page_for_people() -> None:
    assert HubSource("a/b", ("c.pth",)).page == "https://huggingface.co/a/b"
    assert HubSource("a/b", ("c.pth",), kind="space").page == "https://huggingface.co/spaces/a/b"
    assert ReleaseSource("a/b", "v1", "c.pt").page == "https://github.com/a/b/releases/tag/v1"


def test_what_was_run_is_said_in_few_words() -> None:
    assert str(Verified("reduced", "random", "x", 1e-5, by="tests/x.py")) == "reduced, random weights"


def test_what_is_published_says_its_size_its_source_and_what_was_run() -> None:
    for entry in CATALOG:
        known = (entry.base_px, entry.source, entry.verified)
        assert (None not in known) if entry.published else (entry.source is None), entry.name

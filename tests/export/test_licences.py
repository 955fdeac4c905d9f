"""A licence that restricts use is accepted once for a model; every model of the catalog has a known licence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from depthrt import InputError
from depthrt.export.catalog import CATALOG, find
from depthrt.export.families.entry import CatalogEntry
from depthrt.export.licences import LICENCES, check_accepted, licence_of, licence_words, was_accepted


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path))


def entry(name: str) -> CatalogEntry:
    found = find(name)
    assert found is not None
    return found


def test_every_model_has_a_known_licence_with_a_link() -> None:
    assert all(licence_of(model).link.startswith("https://") for model in CATALOG)


@pytest.mark.parametrize("name", ["depth-anything-v2-vits", "dpt_large_384"])
def test_a_licence_for_any_use_needs_no_acceptance(name: str) -> None:
    check_accepted(entry(name), accepted=False)
    assert not was_accepted(entry(name))


@pytest.mark.parametrize("licence", [licence for licence in LICENCES.values() if licence.restriction])
def test_a_licence_that_restricts_use_is_accepted_once(licence: object) -> None:
    model = replace(entry("depth-anything-v2-vitl"), licence=getattr(licence, "name"))  # noqa: B009
    with pytest.raises(InputError) as refused:
        check_accepted(model, accepted=False)
    told = str(refused.value)
    assert all(text in told for text in (model.name, *vars_of(licence), "--accept-licence")) and "\n" not in told
    check_accepted(model, accepted=True)
    check_accepted(model, accepted=False)
    assert was_accepted(model)


def vars_of(licence: object) -> tuple[str, ...]:
    return tuple(str(getattr(licence, name)) for name in ("name", "link", "restriction"))


def test_an_acceptance_is_of_one_model_and_one_licence() -> None:
    check_accepted(entry("depth-anything-v2-vitl"), accepted=True)
    assert not was_accepted(entry("depth-anything-v2-vitb"))
    assert not was_accepted(replace(entry("depth-anything-v2-vitl"), licence="OpenRAIL++-M"))


def test_a_licence_is_told_with_its_link_if_it_is_known() -> None:
    assert licence_words("MIT") == "MIT, https://opensource.org/license/mit"
    assert licence_words("CC-BY-NC-4.0").startswith("CC-BY-NC-4.0 (no commercial use), https://")
    assert licence_words("unknown") == "unknown"

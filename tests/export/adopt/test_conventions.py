"""Conventions by name are those that the table of families has for the networks of these names."""

from __future__ import annotations

from dataclasses import replace

import pytest
from random_checkpoint import TINY
from random_zoedepth import tiny_zoe

from depthrt.engine.terms import DEPTH_ANYTHING, Family
from depthrt.export.adopt.conventions import conventions_of_family, multiple_of_family
from depthrt.export.catalog import find
from depthrt.export.families.midas import MidasArchitecture
from depthrt.export.families.table import rules_of
from depthrt.export.network.depth_anything3.architecture import published as depth_anything3
from depthrt.export.network.midas.architecture import PUBLISHED as TRANSFORMERS
from depthrt.export.network.midas.swin.architecture import PUBLISHED as SWIN
from depthrt.export.network.midas.v21.architecture import PUBLISHED_LARGE, PUBLISHED_SMALL

MIDAS: dict[str, MidasArchitecture] = {
    **TRANSFORMERS,
    **SWIN,
    "midas_v21_384": PUBLISHED_LARGE,
    "midas_v21_small_256": PUBLISHED_SMALL,
}


@pytest.mark.parametrize("family", DEPTH_ANYTHING)
def test_depth_anything(family: Family) -> None:
    assert conventions_of_family(family) == rules_of(family).conventions(TINY, family)


def test_depth_anything_3_by_its_output_for_the_sky() -> None:
    family: Family = "depth-anything-3"
    mono = rules_of(family).conventions(depth_anything3("vitl", any_view=False), family)
    assert conventions_of_family(family, sky=True) == mono and mono.sky_from is not None
    any_view = rules_of(family).conventions(depth_anything3("vits", any_view=True), family)
    assert conventions_of_family(family) == any_view and any_view.sky_from is None


@pytest.mark.parametrize("name", MIDAS)
def test_midas(name: str) -> None:
    found = conventions_of_family("midas", find(name))
    assert found is not None
    official = rules_of("midas").conventions(MIDAS[name], "midas")
    assert found == replace(official, attention=found.attention)
    assert multiple_of_family("midas") == 32


@pytest.mark.parametrize(("variant", "name"), [("N", "ZoeD_M12_N"), ("K", "ZoeD_M12_K")])
def test_zoedepth(variant: str, name: str) -> None:
    official = rules_of("zoedepth").conventions(tiny_zoe(variant), "zoedepth")  # type: ignore[arg-type]
    # The mirrored mean of our export is not in the files of others.
    assert conventions_of_family("zoedepth", find(name)) == replace(official, mirrored=False)


def test_what_the_family_leaves_open_is_none() -> None:
    assert conventions_of_family("midas") is None and conventions_of_family("marigold") is None
    assert multiple_of_family("glpn") is None

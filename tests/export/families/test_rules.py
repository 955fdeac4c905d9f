"""What every row gives: shapes of its tensors, refusals of kinds that its networks do not answer."""

from __future__ import annotations

import pytest
import torch
from official_state import TINY, official_shapes

from depthrt.engine.errors import InputError
from depthrt.export.families.table import TABLE, rules_of
from depthrt.export.network.architecture import ConvArchitecture


def test_the_shapes_of_a_network_take_no_memory_and_are_the_official_ones() -> None:
    assert rules_of("depth-anything-v1").expected_shapes(TINY) == official_shapes(TINY)


def test_a_kind_that_no_network_of_a_family_answers_is_refused() -> None:
    with pytest.raises(InputError, match="--family depthrt with --kind metric: its networks answer inverse depth"):
        rules_of("depthrt").check_options("depthrt", "metric", None)
    rules_of("depthrt").check_options("depthrt", "inverse", None)


@pytest.mark.parametrize("rules", TABLE, ids=lambda rules: rules.name)
def test_a_row_lists_published_models_of_its_own_families_and_kinds_only(rules: object) -> None:
    for entry in rules.entries:  # type: ignore[attr-defined]
        assert entry.kind in rules.kinds[entry.family], entry.name  # type: ignore[attr-defined]


def test_without_a_config_the_tensors_speak() -> None:
    conv = ConvArchitecture(widths=(8, 16, 24, 32), depths=(1, 1, 2, 1), features=8)
    claim = rules_of("depthrt").shown_by_tensors(conv)
    assert claim is not None and (claim.family, claim.kind) == ("depthrt", "inverse")
    assert rules_of("depthrt").to_official_names({"a": torch.ones(1)}).keys() == {"a"}

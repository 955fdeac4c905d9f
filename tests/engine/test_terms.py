from __future__ import annotations

from depthrt.engine.terms import KINDS, MEANINGS


def test_every_kind_has_a_meaning() -> None:
    assert tuple(MEANINGS) == KINDS
    assert len({meaning.name for meaning in MEANINGS.values()}) == len(KINDS)


def test_what_is_unknown_of_a_kind_has_words() -> None:
    assert {kind: MEANINGS[kind].unknown for kind in KINDS} == {
        "inverse": "scale and shift",
        "metric": "",
        "affine": "scale and shift",
        "scale": "scale",
    }


def test_only_metres_have_a_unit_and_only_inverse_depth_is_larger_where_it_is_nearer() -> None:
    assert [kind for kind in KINDS if MEANINGS[kind].unit] == ["metric"]
    assert [kind for kind in KINDS if MEANINGS[kind].larger_is_nearer] == ["inverse"]


def test_zero_is_a_depth_where_the_shift_is_unknown() -> None:
    assert [kind for kind in KINDS if MEANINGS[kind].positive] == ["metric", "scale"]

"""A role is played by the model of its name, or by nobody."""

from __future__ import annotations

import pytest

from depthrt.serve.infer.roles import AUGMENTS, ROLES, find_role, role_name, roles_of
from depthrt.serve.refusal import Refusal


def test_there_are_six_roles() -> None:
    assert len(set(ROLES)) == 2 * len(AUGMENTS) == 6
    assert role_name("indoor art", pretrained=True) == "pretrained-indoor-art"


@pytest.mark.parametrize("role", ROLES)
def test_a_model_of_the_name_plays_the_role(role: str) -> None:
    assert find_role(role, ["other", *ROLES]) == role
    assert roles_of(role, ["other", role]) == [role]


def test_a_single_model_under_another_name_plays_all() -> None:
    assert {find_role(role, ["default"]) for role in ROLES} == {"default"}
    assert roles_of("default", ["default"]) == list(ROLES)


@pytest.mark.parametrize("served", [["mirror"], ["a", "b"], ["pretrained-mirror", "mirror"]])
def test_a_missing_role_is_never_played_by_another_model(served: list[str]) -> None:
    with pytest.raises(Refusal) as caught:
        find_role("outdoor-art", served)
    assert caught.value.status == 422

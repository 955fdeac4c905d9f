"""The study's six roles of a model: pre-trained or fine-tuned, each for three kinds of edited training images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from ..refusal import unprocessable

Augment = Literal["mirror", "indoor art", "outdoor art"]
AUGMENTS: tuple[Augment, ...] = get_args(Augment)
_PRETRAINED = "pretrained-"


def role_name(augment: str, *, pretrained: bool) -> str:
    """Return the name under which the model of a role is served: "indoor-art", "pretrained-mirror"."""
    return (_PRETRAINED if pretrained else "") + augment.replace(" ", "-")


ROLES = tuple(role_name(augment, pretrained=pretrained) for pretrained in (False, True) for augment in AUGMENTS)


def find_role(role: str, served: Sequence[str]) -> str:
    """Return the name of the model that plays a role.

    A model whose name is the role's plays it. A service of a single model whose name is no role's shows it in every
    role, and says so in /models.

    Args:
        role: One of ROLES.
        served: Names of the served models.

    Raises:
        Refusal: 422 if no model plays it: another one would mislead.
    """
    if role in served:
        return role
    if len(served) == 1 and served[0] not in ROLES:
        return served[0]
    raise unprocessable("no_model_of_role", f"no model plays {role} here, see /models")


def roles_of(name: str, served: Sequence[str]) -> list[str]:
    """Return the roles that a model plays."""
    if len(served) == 1 and name not in ROLES:
        return list(ROLES)
    return [role for role in ROLES if role == name]

"""What the service knows of its models, by name, without running them: routes ask it before a replica does the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...engine.model.focal_length import Lens
from ...engine.terms import Kind
from ..refusal import unprocessable
from .roles import find_role, roles_of


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a loaded model.

    Args:
        kind: Of the depth that it gives without a focal length.
        kind_with_lens: Of the depth that it gives if the camera's lens is known.
        takes_focal: Whether a focal length makes metres of its depth.
        runner: That runs it.
        told: What clients are told, ready for JSON.
    """

    kind: Kind
    kind_with_lens: Kind
    takes_focal: bool
    runner: str
    told: Mapping[str, Any]


class Lineup:
    """The served models by name; the first is the default.

    Args:
        facts: Return what is known of each model now.
    """

    def __init__(self, facts: Mapping[str, Callable[[], ModelFacts]]) -> None:
        self._facts = dict(facts)

    @property
    def names(self) -> list[str]:
        """Return the names, the default's first."""
        return list(self._facts)

    def get(self, name: str | None) -> tuple[str, ModelFacts]:
        """Return a model's name and what is known of it; None means the default.

        Raises:
            Refusal: 422 if no model has the name.
        """
        name = self.names[0] if name is None else name
        if name not in self._facts:
            raise unprocessable("unknown_model", f"no such model, expected one of {', '.join(self.names)}")
        return name, self._facts[name]()

    def of_role(self, role: str) -> tuple[str, ModelFacts]:
        """Return the model that plays a role of the study, as get does; raises as find_role."""
        return self.get(find_role(role, self.names))

    def describe(self) -> list[dict[str, Any]]:
        """Return what the service tells about its models, ready for JSON."""
        return [
            {"name": name, "default": name == self.names[0], "roles": roles_of(name, self.names), **facts().told}
            for name, facts in self._facts.items()
        ]


def check_focal(lens: Lens, name: str, facts: ModelFacts) -> None:
    """Raise Refusal if a client says something of its lens and the model does not use it."""
    if lens.known and not facts.takes_focal:
        raise unprocessable("no_focal", f"model {name} takes no focal length; leave out focal_px and fov")

"""The served models by name; a file that has several names is loaded once."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

from ...engine.errors import DepthrtError
from ...engine.modelfile.shipped import model_path
from ..refusal import unprocessable
from ..settings import Settings
from .roles import find_role, roles_of
from .served_model import ServedModel


class Models:
    """The served models; the first is the default. Loading blocks until each has answered its canary and is warm.

    Raises:
        DepthrtError: A model cannot be served; none stays loaded.
    """

    def __init__(self, settings: Settings) -> None:
        self._by_name: dict[str, ServedModel] = {}
        loaded: dict[Path, ServedModel] = {}
        turn = Lock()
        try:
            for name, path in settings.models.items():
                file = model_path(path).resolve()
                if file not in loaded:
                    loaded[file] = ServedModel(
                        path, device=settings.device, threads=settings.threads, limits=settings.limits, turn=turn
                    )
                self._by_name[name] = loaded[file]
        except DepthrtError:
            self._loaded = list(loaded.values())
            self.close()
            raise
        self._loaded = list(loaded.values())

    @property
    def names(self) -> list[str]:
        """Return the names, the default's first."""
        return list(self._by_name)

    def get(self, name: str | None) -> tuple[str, ServedModel]:
        """Return a model and its name; None means the default.

        Raises:
            Refusal: 422 if no model has the name.
        """
        name = self.names[0] if name is None else name
        if name not in self._by_name:
            raise unprocessable("unknown_model", f"no such model, expected one of {', '.join(self.names)}")
        return name, self._by_name[name]

    def of_role(self, role: str) -> tuple[str, ServedModel]:
        """Return the model that plays a role of the study, and its name; raises as find_role."""
        return self.get(find_role(role, self.names))

    def describe(self) -> list[dict[str, Any]]:
        """Return what the service tells about its models, ready for JSON."""
        return [
            {"name": name, "default": name == self.names[0], "roles": roles_of(name, self.names), **model.describe()}
            for name, model in self._by_name.items()
        ]

    def close(self) -> None:
        """Free all models."""
        for model in self._loaded:
            model.close()

"""The loaded models of a process by name; a file that has several names is loaded once."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from ...engine.errors import DepthrtError
from ...engine.modelfile.shipped import model_path
from ..settings import Settings
from .lineup import Lineup
from .served_model import ServedModel


class Models:
    """The loaded models. Loading blocks until each has answered its canary and is warm.

    Raises:
        DepthrtError: A model cannot be served; none stays loaded.
    """

    def __init__(self, settings: Settings) -> None:
        self._by_name: dict[str, ServedModel] = {}
        self._by_file: dict[Path, ServedModel] = {}
        turn = Lock()
        try:
            for name, path in settings.models.items():
                file = model_path(path).resolve()
                if file not in self._by_file:
                    self._by_file[file] = ServedModel(
                        path, device=settings.device, threads=settings.threads, limits=settings.limits, turn=turn
                    )
                self._by_name[name] = self._by_file[file]
        except DepthrtError:
            self.close()
            raise
        self.lineup = Lineup({name: model.facts for name, model in self._by_name.items()})

    def get(self, name: str) -> ServedModel:
        """Return a model that the lineup names."""
        return self._by_name[name]

    def close(self) -> None:
        """Free all models."""
        for model in self._by_file.values():
            model.close()

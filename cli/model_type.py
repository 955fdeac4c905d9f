"""What the verbs take for a model: a path, or the name of the one that comes with depthrt."""

from __future__ import annotations

from pathlib import Path

import click


class ModelType(click.Path):
    """A path; the name "default" stands for the file of the model that comes with depthrt."""

    name = "file"

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path of the model file."""
        from ..engine.modelfile.shipped import DEFAULT, model_path

        path = model_path(str(value))
        return path.absolute() if str(path) == DEFAULT else path  # "./default" is a path, and must stay one

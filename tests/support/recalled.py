"""The choice that is remembered for a model file."""

from __future__ import annotations

from depthrt.engine.modelfile.model_file import ModelFile
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.tuning import recall_tuning


def recall_choice(file: ModelFile, threads: int) -> Choice | None:
    tuning = recall_tuning(file, threads)
    return tuning.choice if tuning else None

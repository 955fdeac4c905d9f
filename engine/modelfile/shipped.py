"""The model and the photograph that come with depthrt; the name "default" becomes the model's file."""

from __future__ import annotations

from pathlib import Path

DEFAULT = "default"
PHOTO = Path(__file__).with_name("photo.jpg")
DEFAULT_NOTE = "the model that comes with depthrt is for demonstration and tests; export a checkpoint for real work"


def model_path(given: str | Path) -> Path:
    """Return the file of the model that comes with depthrt for its name, any other path as it is."""
    return Path(__file__).with_name("default.onnx") if str(given) == DEFAULT else Path(given)

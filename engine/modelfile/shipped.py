"""The model and the photograph that come with depthrt; the name "default" becomes the model's file."""

from __future__ import annotations

from pathlib import Path

from ..errors import ModelFileError
from ..system.files import check_named

DEFAULT = "default"
PHOTO = Path(__file__).with_name("photo.jpg")
DEFAULT_NOTE = "the model that comes with depthrt is for demonstration and tests; export a checkpoint for real work"


def model_path(given: str | Path) -> Path:
    """Return the file of the model that comes with depthrt for its name, any other path as it is.

    Raises:
        ModelFileError: The name is empty.
    """
    check_named(given, "model", ModelFileError)
    return Path(__file__).with_name("default.onnx") if str(given) == DEFAULT else Path(given)

"""The one place through which depthrt calls a runtime: whatever the runtime raises becomes an error of one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import BackendUnavailable, DepthrtError, ModelFileError

# Words by which ONNX Runtime, OpenVINO, OpenCV and C++ say that memory is short; their classes do not tell.
_SHORT = ("bad_alloc", "allocate", "out of memory", "insufficient memory", "not enough memory")
_LONGEST_REASON = 500  # characters; OpenVINO prints the places in its source that an error passed


@contextmanager
def calling(runtime: str, doing: str, path: Path) -> Iterator[None]:
    """Turn what a runtime raises in the block into a DepthrtError of one line.

    Args:
        runtime: Its name, for people.
        doing: What it cannot do then, such as "refuses" or "cannot run"; followed by the path.
        path: The model file.

    Raises:
        BackendUnavailable: Memory is short.
        ModelFileError: Anything else: runtimes have classes of their own, and RuntimeError for everything.
    """
    try:
        yield
    except DepthrtError:
        raise
    except Exception as error:
        reason = one_line(error)
        if is_short_of_memory(error):
            raise BackendUnavailable(f"{runtime} has not enough memory for {path} ({reason}); {_LESS}") from error
        if (weights := _linked_weights(path, error)) is not None:
            raise ModelFileError(
                f"{runtime} {doing} {path}: its weights {weights.name} are a link into another folder; copy the files, "
                "not links to them, into one folder, or use another runner"
            ) from error
        raise ModelFileError(f"{runtime} {doing} {path}: {reason}; export it again") from error


@contextmanager
def enough_memory(doing: str) -> Iterator[None]:
    """Turn an allocation that fails in the block into a BackendUnavailable.

    Args:
        doing: What needs the memory, such as "resize an image".
    """
    try:
        yield
    except DepthrtError:
        raise
    except Exception as error:
        if not is_short_of_memory(error):
            raise
        raise BackendUnavailable(f"there is not enough memory to {doing} ({one_line(error)}); {_LESS}") from error


def _linked_weights(path: Path, error: Exception) -> Path | None:
    """Return the weights beside a model file that a runtime names in its error, if they are a link.

    ONNX Runtime and OpenVINO refuse weights outside the model's folder; ONNX Runtime takes them if the model is a link
    into the same folder, as in the cache of Hugging Face (seen in onnxruntime 1.31, openvino 2026.4).
    """
    linked = (weights for weights in path.parent.glob("*.data") if weights.is_symlink() and weights.name in str(error))
    return next(linked, None)


_LESS = "run fewer or smaller images at once, or close other programs"


def one_line(error: Exception) -> str:
    """Return the text of an error in one line, or its class if it has none."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]} ..."


def is_short_of_memory(error: Exception) -> bool:
    """Return whether an error means that an allocation failed."""
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in _SHORT)

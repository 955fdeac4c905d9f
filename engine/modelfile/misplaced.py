"""What a file is that stands in the place of another: a picture given as a model, a model given as a picture."""

from __future__ import annotations

import re
import shlex

from ..system.first_bytes import image_format, is_video

_MODEL = "a model goes to --model: depthrt run IMAGE --model {name}"
_PICTURE = "images and videos are the INPUTs of a run: depthrt run {name} --model MODEL.onnx"
_CHECKPOINT = "make a model file of it first: depthrt export {name} -o model.onnx"

# First bytes, what such a file is, and where it goes; images and videos have their own table.
_KINDS = tuple(
    (re.compile(pattern, re.DOTALL), what, advice)
    for pattern, what, advice in (
        # ir_version, then the producer, the domain or the graph of an onnx.ModelProto
        (rb"\x08[\x03-\x20][\x12\x1a\x22\x3a\x42]", "an ONNX model", _MODEL),
        (rb"\x89DRTENG\n", "a TensorRT engine", _MODEL),
        (rb"PK\x03\x04|\x80.\x8a\x0al\xfc\x9cF|.{5}\0\0\0\{\"", "a checkpoint", _CHECKPOINT),
    )
)


def misplaced(head: bytes, name: str, *, expected: str) -> str | None:
    """Return a sentence about a file of another kind than was expected, None if its kind is expected or unknown.

    Args:
        head: The first HEAD_BYTES of the file (see first_bytes.py), or fewer if it has fewer.
        name: Of the file, as the user gave it.
        expected: What should stand in its place, e.g. "an ONNX model".
    """
    what, advice = _kind_of(head)
    if not what or what == expected:
        return None
    return f"{name} is {what}, expected {expected}; {advice.format(name=shlex.quote(name))}"


def _kind_of(head: bytes) -> tuple[str, str]:
    if image_format(head):
        return "an image", _PICTURE
    if is_video(head):
        return "a video", _PICTURE
    return next(((what, advice) for pattern, what, advice in _KINDS if pattern.match(head)), ("", ""))

"""What a file is that stands in the place of another: a picture given as a model, a model given as a picture."""

from __future__ import annotations

import re
import shlex

HEAD_BYTES = 64  # that tell what a file is

_MODEL = "a model goes to --model: depthrt run IMAGE --model {name}"
_PICTURE = "images and videos are the INPUTs of a run: depthrt run {name} --model MODEL.onnx"
_CHECKPOINT = "make a model file of it first: depthrt export {name} -o model.onnx"

# First bytes, what such a file is, and where it goes.
_KINDS = tuple(
    (re.compile(pattern, re.DOTALL), what, advice)
    for pattern, what, advice in (
        (rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP|II\*\0|MM\0\*|BM....\0\0\0\0|GIF8[79]a", "an image", _PICTURE),
        (rb"....ftyp(avif|avis|hei|hev|mif1|msf1)", "an image", _PICTURE),
        (rb"....ftyp|\x1a\x45\xdf\xa3|RIFF....AVI |FLV\x01|\x00\x00\x01[\xb3\xba]", "a video", _PICTURE),
        # ir_version, then the producer, the domain or the graph of an onnx.ModelProto
        (rb"\x08[\x03-\x20][\x12\x1a\x22\x3a\x42]", "an ONNX model", _MODEL),
        (rb"\x89DRTENG\n", "a TensorRT engine", _MODEL),
        (rb"PK\x03\x04|\x80.\x8a\x0al\xfc\x9cF|.{5}\0\0\0\{\"", "a checkpoint", _CHECKPOINT),
    )
)


def misplaced(head: bytes, name: str, *, expected: str) -> str | None:
    """Return a sentence about a file of another kind than was expected, None if its kind is expected or unknown.

    Args:
        head: The first HEAD_BYTES of the file, or fewer.
        name: Of the file, as the user gave it.
        expected: What should stand in its place, e.g. "an ONNX model".
    """
    for pattern, what, advice in _KINDS:
        if pattern.match(head):
            return (
                None
                if what == expected
                else f"{name} is {what}, expected {expected}; {advice.format(name=shlex.quote(name))}"
            )
    return None

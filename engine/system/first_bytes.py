"""First bytes of a file in, the format of an image or whether it is a video out; the one table of them."""

from __future__ import annotations

import re
from typing import Literal, get_args

ImageFormat = Literal["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF"]

HEAD_BYTES = 400  # that tell: two packets of an MPEG transport stream
IMAGE_FORMATS: tuple[ImageFormat, ...] = get_args(ImageFormat)
_IMAGES: dict[ImageFormat, bytes] = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "WEBP": rb"RIFF....WEBP",
    "TIFF": rb"II[*+]\0|MM\0[*+]",  # + is BigTIFF
    "BMP": rb"BM(.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0|.{0,15}\Z)",  # the sizes of its second header
    "GIF": rb"GIF8[79]a",
    "AVIF": rb"....ftyp(avif|avis)|....ftyp(mif1|msf1|miaf).{4,40}(avif|avis)",
    "HEIF": rb"....ftyp(hei[cxms]|hev[cxms]|mif1|msf1|heif)",
}
_IMAGE_PATTERNS = {format: re.compile(pattern, re.DOTALL) for format, pattern in _IMAGES.items()}
# Source: FFmpeg, libavformat, the probes of the formats
_VIDEO = re.compile(
    rb"....(ftyp|moov|mdat|wide|free|skip)|RIFF....AVI |\x1a\x45\xdf\xa3|FLV\x01|OggS|\0\0\x01[\xba\xb3]"
    rb"|\x30\x26\xb2\x75\x8e\x66\xcf\x11|\x06\x0e\x2b\x34|\.RMF|DKIF|YUV4MPEG2|nut/multimedia"
    rb"|G.{187}G|.{4}G.{191}G",
    re.DOTALL,
)


def image_format(head: bytes) -> ImageFormat | None:
    """Return the format of an image, None if the bytes begin no image of a known format.

    Args:
        head: HEAD_BYTES of the file, or fewer if it has fewer; the rest is not looked at.
    """
    return next((format for format, pattern in _IMAGE_PATTERNS.items() if pattern.match(head)), None)


def is_video(head: bytes) -> bool:
    """Whether the first bytes are those of a video and not of an image in the same container."""
    return image_format(head) is None and _VIDEO.match(head) is not None

"""What strangers upload: images that hold far more than their bytes, files of two kinds, names that lead elsewhere."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import cache

import numpy as np
from made_image import crop_of_photo, packed
from served import PHOTO

from depthrt.engine.images.write import encode_image

BOMBS = (
    "a long line",
    "a tall line",
    "png of 400 megapixels",
    "png with more pixels than it says",
    "png with a compressed text",
    "png with a compressed profile",
    "gif of 4 gigapixels",
    "webp of 268 megapixels",
    "bmp of 4 gigapixels",
    "jpeg of 4 gigapixels",
    "tiff of 4 gigapixels",
)
_GRAY = zlib.compress(bytes(101 * 100))  # rows of a PNG of 100x100


@cache
def make_bomb(name: str) -> bytes:
    """Return a file of BOMBS."""
    kind, _, what = name.partition(" ")
    if kind == "a":
        return encode_image(np.zeros((100, 10_000, 3) if what == "long line" else (10_000, 100, 3), np.uint8), ".png")
    if name == "png of 400 megapixels":
        return _png(20_000, data=_zeros())
    if kind == "png":
        chunk = {"text": b"zTXt", "profile": b"iCCP"}.get(name.rpartition(" ")[2])
        return _png(100, data=_zeros()) if chunk is None else _png(100, _chunk(chunk, b"a\0\0" + _zeros()), _GRAY)
    return {
        "gif": b"GIF89a" + struct.pack("<HH", 65535, 65535) + bytes(7) + b";",
        "webp": b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f" + struct.pack("<I", (1 << 28) - 1) + bytes(8),
        "bmp": b"BM" + bytes(8) + struct.pack("<IIiiHHIIiiII", 54, 40, 65535, 65535, 1, 24, *[0] * 6),
        "jpeg": b"\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00\xff\xd9",
        "tiff": b"II*\0\x08\0\0\0\x02\0" + struct.pack("<HHIIHHII", 256, 4, 1, 65535, 257, 4, 1, 65535) + bytes(4),
    }[kind]


@cache
def _zeros() -> bytes:
    """Return 256 MiB of zeros, compressed to about 1."""
    return zlib.compress(bytes(256 << 20), 1)


def _png(side: int, chunks: bytes = b"", data: bytes = b"") -> bytes:
    """Return a gray PNG of a header, other chunks and compressed data, which need not fit together."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunks + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("photo.png", PHOTO)
    return file.getvalue()


SCRIPT = b"<script>alert(1)</script>"
POLYGLOTS = {
    "png and zip": PHOTO + _zipped(),
    "jpeg and html": packed(crop_of_photo(), "JPEG", comment=SCRIPT) + b"<html>" + SCRIPT,
    "gif and javascript": b"GIF89a/*" + bytes(4) + b"*/=1;alert(1)//",
    "pdf and png": b"%PDF-1.7\n" + PHOTO,
    "zip": _zipped(),
    "svg": b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
    "heif of nothing": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
    "html": SCRIPT,
}

NAMES = [
    "../../../../tmp/depthrt-was-here.png",
    "/etc/passwd",
    "C:\\\\windows\\\\win.ini",
    "<img src=x onerror=alert(1)>.png",
    "a\0b.png",
    "x" * 3000,
    "%0d%0aSet-Cookie: a=b",
    "photo.php;.png",
]

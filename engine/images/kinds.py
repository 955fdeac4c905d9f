"""Names and first bytes of files in, the kind of media out."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..errors import InputError
from ..system.files import open_file
from ..system.first_bytes import HEAD_BYTES, image_format, is_video

MediaKind = Literal["image", "video"]

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo", ".insp")
IMAGE_SUFFIXES = (
    *JPEG_SUFFIXES,
    *(".png", ".apng", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".gif"),
    *(".heic", ".heif", ".hif", ".avif"),
)
VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".f4v", ".insv"),  # ISO base media
    *(".mpg", ".mpeg", ".mpe", ".m1v", ".m2v", ".vob", ".ts", ".mts", ".m2ts", ".mod", ".tod", ".trp"),  # MPEG
    *(".mkv", ".webm", ".avi", ".divx", ".wmv", ".asf", ".flv", ".ogv", ".ogm", ".mxf", ".nut", ".ivf", ".y4m", ".dv"),
    *(".h264", ".264", ".h265", ".265", ".hevc", ".mjpeg", ".mjpg", ".rm", ".rmvb", ".wtv", ".amv"),
)
# Pictures and videos that are not read, so that a walk can say so.
UNREAD_SUFFIXES = frozenset(
    (
        *(".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".jpm", ".jxl", ".jxr", ".wdp", ".hdp", ".jls"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".pam", ".tga", ".pcx", ".dds", ".ico", ".icns", ".xbm", ".xpm", ".ras"),
        *(".hdr", ".pic", ".sgi", ".psd", ".psb", ".xcf", ".kra", ".svg", ".svgz", ".eps", ".heics", ".avifs", ".jps"),
        *(".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".raf", ".orf", ".rw2", ".rwl"),
        *(".pef", ".ptx", ".srw", ".x3f", ".3fr", ".fff", ".iiq", ".mef", ".mos", ".mrw", ".dcr", ".kdc", ".erf"),
        *(".raw", ".gpr", ".webp2", ".fits", ".flif", ".bpg", ".swf", ".braw", ".r3d", ".ari", ".crm", ".lrv", ".dav"),
    )
)

_DOUBTFUL_SUFFIXES = (".ts", ".mod")


def is_other_text(path: Path) -> bool:
    """Whether a file has a suffix that programs' sources have too, as TypeScript and go.mod, and is no video."""
    if path.suffix.lower() not in _DOUBTFUL_SUFFIXES:
        return False
    head = _read_head(path)
    return bool(head) and not is_video(head)


def media_kind(path: Path) -> MediaKind:
    """Return what a file is by its first bytes, by its suffix if they are of no known kind or cannot be read."""
    head = _read_head(path)
    if image_format(head):
        return "image"
    suffix = path.suffix.lower()
    return "video" if is_video(head) or suffix in VIDEO_SUFFIXES else "image"


def _read_head(path: Path) -> bytes:
    """Return the first bytes of a file, none if it cannot be read."""
    try:
        with open_file(path) as file:
            return file.read(HEAD_BYTES)
    except (OSError, InputError):
        return b""

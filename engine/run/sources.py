"""Names that a user gives in, a list of images, videos, cameras and streams out."""

from __future__ import annotations

import glob
import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from ..errors import InputError
from ..images.kinds import IMAGE_SUFFIXES, VIDEO_SUFFIXES, is_other_text, media_kind
from ..images.read import STDIN
from ..images.walk import LeftOut, files_below, fixed_part, is_wanted, matches_below, once, order
from ..modelfile.shipped import PHOTO
from ..system.files import USE_STDIN, check_named, check_plain, check_reachable

SourceKind = Literal["image", "video", "camera"]
_LAST_CAMERA = 2**31 - 1  # OpenCV takes a C int
_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "rtp", "srt", "tcp")  # of streams that PyAV reads
_MEDIA_SUFFIXES = frozenset(IMAGE_SUFFIXES + VIDEO_SUFFIXES)

logger = logging.getLogger("depthrt")


@dataclass(frozen=True, slots=True)
class Source:
    """An image, a video or a camera.

    Args:
        name: The path, "-" for standard input, the index of a camera, or the address of a stream.
        kind: How it is read; a stream is a camera elsewhere.
        target: Path of its outputs, relative to the output folder, without a suffix.

    Raises:
        InputError: The name is empty.
    """

    name: str
    kind: SourceKind
    target: Path

    def __post_init__(self) -> None:
        check_named(self.name, "source")

    @property
    def is_stream(self) -> bool:
        """Whether the source is a stream: a camera with an address instead of an index."""
        return self.kind == "camera" and not self.name.isdigit()

    @property
    def title(self) -> str:
        """Return the name for people: that of a stream without what may hold a password, its user and its query."""
        return re.sub(r"(?<=://)[^/]*@", "", self.name).partition("?")[0] if self.is_stream else self.name


def log_left_out(left_out: LeftOut) -> None:
    """Say what was left out, as a warning of the package's log."""
    logger.warning("depthrt: %s", left_out)


def find_sources(
    inputs: Sequence[str],
    *,
    outputs: Path | None = None,
    on_left_out: Callable[[LeftOut], object] = log_left_out,
) -> list[Source]:
    """Return the sources that inputs name: files, folders (with all below), patterns, "-", camera indices, addresses.

    A file that is named is taken whatever its suffix, and is an image or a video by its first bytes; of folders and
    patterns, names with the suffixes of images and videos are taken, each real file once. Each source has a target
    that no other has.

    Args:
        outputs: Folder of outputs. If an input is a folder or a pattern around it, the files in it are left out.
        on_left_out: Called once with what folders and patterns have left out, unless that is nothing.

    Raises:
        InputError: An input names nothing that exists, or something else than a file or a folder.
    """
    found: dict[str, Source] = {}
    taken: set[str] = set()  # places of files
    left_out = LeftOut(folder=outputs or Path())
    inside: set[str] = set()  # names of files in the folder of outputs
    for text in inputs:
        check_named(text, "input")
        if not glob.has_magic(text) and not _is_address(text):
            check_reachable(text)
        around = outputs is not None and _may_lead_to(text, outputs)
        for source in _expand(text, left_out):
            place = _place_of(source, is_named=source.name == text)
            if around and outputs is not None and _lies_in(Path(source.name), outputs):
                inside.add(source.name)
            elif place not in taken:
                found[source.name] = source
                taken |= {place, _place_of(source, is_named=False)}
    left_out.outputs = len(inside)
    if inside and not found:
        raise InputError(f"all images and videos lie in {outputs}, the folder of outputs; choose another for outputs")
    if left_out:
        on_left_out(left_out)
    return _separate(list(found.values()))


def find_images(inputs: Sequence[str | Path], *, on_left_out: Callable[[LeftOut], object] = log_left_out) -> list[Path]:
    """Return the images that files, folders and patterns name; without inputs the photograph that comes with depthrt.

    Args:
        on_left_out: As in find_sources.

    Raises:
        InputError: They name no image.
    """
    if not inputs:
        return [PHOTO]
    sources = find_sources([*map(str, inputs)], on_left_out=on_left_out)
    paths = [Path(source.name) for source in sources if source.kind == "image"]
    if not paths:
        raise InputError(f"no image in {', '.join(map(str, inputs))}; give images, folders or patterns")
    return paths


def refuse_to_replace(paths: Iterable[Path], sources: Sequence[Source], *, by: str, option: str) -> None:
    """Raise InputError if a path that will be written is a source.

    Args:
        by: What will be written there, for the message.
        option: The option that chooses another path.
    """
    read = {_identity(Path(source.name)) for source in sources if source.kind != "camera"} - {None}
    for path in paths:
        if _identity(path) in read:
            raise InputError(f"{path} would be replaced by {by}; give another place with {option}")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return the identity of a file, the same under all its names, or None if it does not exist."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _may_lead_to(text: str, outputs: Path) -> bool:
    """Whether an input that is a folder or a pattern may lead to the folder of outputs, if only by links."""
    if _is_address(text):
        return False
    folder = Path(text)
    if not folder.exists() and glob.has_magic(text):
        folder = fixed_part(text)
    start, end = folder.resolve(), outputs.resolve()
    return folder.is_dir() and start != end and end not in start.parents


def _lies_in(path: Path, folder: Path) -> bool:
    return folder.resolve() in (path.parent.resolve() / path.name).parents


def _place_of(source: Source, *, is_named: bool) -> str:
    """Return the absolute path of a file, of what a link leads to unless it was named; the name of another source."""
    if source.kind == "camera" or source.name == STDIN:
        return source.name
    return os.path.abspath(source.name) if is_named else os.path.realpath(source.name)  # noqa: PTH100


def _expand(text: str, left_out: LeftOut) -> Iterator[Source]:
    path = Path(text)
    if text == STDIN:
        yield Source(STDIN, "image", Path("stdin"))
    elif _is_address(text):
        yield Source(text, "camera", Path(_target_of_stream(text)))
    elif path.is_dir():
        yield from _below(path, left_out)
    elif path.exists():
        check_plain(path, advice=USE_STDIN)
        yield _file(path, Path(path.name))
    elif text.isascii() and text.isdigit() and int(text) <= _LAST_CAMERA:
        yield Source(text, "camera", Path(f"camera{text}"))
    elif glob.has_magic(text):
        yield from _matching(text, left_out)
    else:
        raise InputError(
            f"{text} does not exist; give images, videos, folders, patterns, a camera's index, the address of a "
            "stream, or -"
        )


def _is_address(text: str) -> bool:
    """Whether a text is the address of a stream: rtsp://camera.local/live."""
    scheme, separator, rest = text.partition("://")
    return bool(separator and rest) and scheme.lower() in _SCHEMES


def _target_of_stream(address: str) -> str:
    """Return a file name for a stream: its host and its path."""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise InputError("an address with brackets that do not close was found, expected rtsp://host/path") from None
    return re.sub(r"[^\w.]+", "-", f"{parts.hostname or ''}{parts.path}").strip("-.") or "stream"


def _below(folder: Path, left_out: LeftOut) -> Iterator[Source]:
    """Yield the images and videos of a folder and its subfolders."""
    without = LeftOut()
    files = _media_below(folder, without)
    if not files:
        also = f" ({without})" if without else ""
        raise InputError(f"{folder} holds no images or videos{also}; known suffixes: {' '.join(IMAGE_SUFFIXES)}")
    left_out.add(without)
    yield from (_file(path, path.relative_to(folder)) for path in files)


def _matching(pattern: str, left_out: LeftOut) -> Iterator[Source]:
    """Yield the images and videos that match a pattern, and those in folders that match, as a shell would name them.

    A pattern with ** matches what is in folders itself.
    """
    without = LeftOut()
    if "**" in Path(pattern).parts:
        start = fixed_part(pattern)
        matches, folders = matches_below(start, str(Path(pattern).relative_to(start)), without), []
    else:
        matches = [*map(Path, glob.glob(pattern))]  # noqa: PTH207 (Path.glob refuses absolute patterns)
        folders = sorted((match for match in matches if match.is_dir()), key=order)
    wanted = [match for match in matches if match not in folders and is_wanted(match, _MEDIA_SUFFIXES, without)]
    wanted = [match for match in wanted if not is_other_text(match)]
    sources = [_file(match, Path(match.name)) for match in sorted(once(wanted, without), key=order)]
    for folder in folders:
        files = _media_below(folder, without)
        sources += [_file(path, path.relative_to(folder)) for path in files]
    if not sources:
        also = f" ({without})" if without else ""
        raise InputError(
            f"no image or video matches {pattern!r}, {len(matches)} other paths do{also}; check the pattern"
        )
    left_out.add(without)
    yield from sources


def _media_below(folder: Path, left_out: LeftOut) -> list[Path]:
    found = files_below(folder, _MEDIA_SUFFIXES, left_out=left_out)
    return [path for path in found if not is_other_text(path)]


def _file(path: Path, relative: Path) -> Source:
    return Source(str(path), media_kind(path), relative.with_suffix(""))


def _separate(sources: list[Source]) -> list[Source]:
    """Give sources with the same target their whole file name (a.jpg, a.png), then a number."""
    stems = Counter(source.target for source in sources)
    whole = [
        replace(source, target=source.target.with_name(Path(source.name).name)) if stems[source.target] > 1 else source
        for source in sources
    ]
    seen: Counter[Path] = Counter()
    separate = []
    for source in whole:
        seen[source.target] += 1
        number = seen[source.target]
        target = source.target.with_name(f"{source.target.name}-{number}") if number > 1 else source.target
        separate.append(replace(source, target=target))
    return separate

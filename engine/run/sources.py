"""Names that a user gives in, a list of images, videos and cameras out."""

from __future__ import annotations

import glob
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..errors import InputError
from ..images.read import IMAGE_SUFFIXES, STDIN, VIDEO_SUFFIXES
from ..modelfile.shipped import PHOTO
from ..system.files import check_reachable

SourceKind = Literal["image", "video", "camera"]
_LAST_CAMERA = 2**31 - 1  # OpenCV takes a C int
_NUMBER = re.compile("([0-9]+)")


@dataclass(frozen=True, slots=True)
class Source:
    """An image, a video or a camera.

    Args:
        name: The path, "-" for standard input, or the index of a camera.
        kind: How it is read.
        target: Path of its outputs, relative to the output folder, without a suffix.
    """

    name: str
    kind: SourceKind
    target: Path


def find_sources(
    inputs: Sequence[str], *, outputs: Path | None = None, on_left_out: Callable[[int], object] = lambda count: None
) -> list[Source]:
    """Return the sources that inputs name: files, folders (with all below), glob patterns, "-", camera indices.

    A file that is named is taken whatever its suffix; of folders and patterns, images and videos are. Each source has
    a target that no other has.

    Args:
        outputs: Folder of outputs. If an input is a folder or a pattern around it, the files in it are left out.
        on_left_out: Called once with the number of files that are left out, unless it is 0.

    Raises:
        InputError: An input names nothing that exists.
    """
    found: dict[str, Source] = {}
    left_out: set[str] = set()
    for text in inputs:
        if not glob.has_magic(text):
            check_reachable(text)
        inside = outputs if outputs is not None and _is_around(text, outputs) else None
        for source in _expand(text):
            if inside is not None and _lies_in(Path(source.name), inside):
                left_out.add(source.name)
            else:
                found.setdefault(source.name, source)
    if left_out and not found:
        raise InputError(f"all images and videos lie in {outputs}, the folder of outputs; choose another for outputs")
    if left_out:
        on_left_out(len(left_out))
    return _separate(list(found.values()))


def find_images(inputs: Sequence[str | Path]) -> list[Path]:
    """Return the images that files, folders and patterns name; without inputs the photograph that comes with depthrt.

    Raises:
        InputError: They name no image.
    """
    if not inputs:
        return [PHOTO]
    paths = [Path(source.name) for source in find_sources([*map(str, inputs)]) if source.kind == "image"]
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


def _is_around(text: str, outputs: Path) -> bool:
    """Whether the folder of outputs is below an input: a folder, or the folder in which a pattern begins."""
    folder = Path(text)
    if not folder.exists() and glob.has_magic(text):
        fixed = itertools.takewhile(lambda part: not glob.has_magic(part), folder.parts)
        folder = Path(*fixed)
    return folder.is_dir() and folder.resolve() in outputs.resolve().parents


def _lies_in(path: Path, folder: Path) -> bool:
    return folder.resolve() in (path.parent.resolve() / path.name).parents


def _expand(text: str) -> Iterator[Source]:
    path = Path(text)
    if text == STDIN:
        yield Source(STDIN, "image", Path("stdin"))
    elif path.is_dir():
        yield from _below(path)
    elif path.exists():
        yield _file(path, Path(path.name))
    elif text.isascii() and text.isdigit() and int(text) <= _LAST_CAMERA:
        yield Source(text, "camera", Path(f"camera{text}"))
    elif glob.has_magic(text):
        matches = sorted(map(Path, glob.glob(text, recursive=True)), key=_order)  # noqa: PTH207 (Path.glob refuses absolute patterns)
        media = [match for match in matches if match.is_file() and _is_media(match)]
        if not media:
            raise InputError(f"no image or video matches {text!r}, {len(matches)} other paths do; check the pattern")
        yield from (_file(match, Path(match.name)) for match in media)
    else:
        raise InputError(f"{text} does not exist; give images, videos, folders, patterns, a camera's index, or -")


def _below(folder: Path) -> Iterator[Source]:
    """Yield the images and videos of a folder and its subfolders, sorted by path, numbers in it by their value."""
    files = sorted((path for path in folder.rglob("*") if _is_media(path) and path.is_file()), key=_order)
    if not files:
        raise InputError(f"{folder} holds no images or videos; known suffixes: {' '.join(IMAGE_SUFFIXES)}")
    yield from (_file(path, path.relative_to(folder)) for path in files)


def _order(path: Path) -> tuple[list[list[str | int]], Path]:
    """Return the key that sorts paths: frame_10 comes after frame_9."""
    split = [[int(text) if at % 2 else text for at, text in enumerate(_NUMBER.split(part))] for part in path.parts]
    return split, path


def _is_media(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES + VIDEO_SUFFIXES and not path.name.startswith(".")


def _file(path: Path, relative: Path) -> Source:
    kind: SourceKind = "video" if path.suffix.lower() in VIDEO_SUFFIXES else "image"
    return Source(str(path), kind, relative.with_suffix(""))


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

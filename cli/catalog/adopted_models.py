"""ONNX files of others among the models of a benchmark are adopted for as long as it runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.errors import DepthrtError, InputError
from ...exits import needs
from ..show.printing import say

if TYPE_CHECKING:
    from ...engine.terms import Family, Kind

_SUFFIX = ".onnx"


@contextmanager
def adopted_models(
    models: Sequence[str | Path],
    *,
    family: Family | None = None,
    kind: Kind | None = None,
    max_depth_m: float | None = None,
    size: int | tuple[int, int] | None = None,
) -> Iterator[dict[str, Path]]:
    """Yield a model file for each ONNX file of others, by the name that it was given; they are removed at the end.

    Args:
        models: Files as they were given; what is no ONNX file, or is a model file of depthrt, is left as it is.
        family, kind, max_depth_m, size: What the files do not say themselves, as in `depthrt adopt`.

    Raises:
        DepthrtError: A file cannot be adopted; the message says which option is missing.
    """
    theirs = [str(model) for model in dict.fromkeys(map(str, models)) if _is_of_others(Path(model))]
    if not theirs:
        yield {}
        return
    with needs("export"):
        from ...export.adopt.adopt import adopt
        from ...export.adopt.options import Options
        from ...export.onnx_file.scratch import scratch_folder
    options = Options(like=family, kind=kind, max_depth_m=max_depth_m, size=size)
    with scratch_folder() as folder:
        adopted = {}
        for given, path in _places(theirs, folder).items():
            path.parent.mkdir()
            try:
                adopt(Path(given), path, options=options, on_note=partial(_say, given))
            except DepthrtError as error:
                command = shlex.join(["depthrt", "adopt", given, "-o", f"adopted-{Path(given).name}"])
                raise InputError(
                    f"{error} (bench takes --family, --kind, --max-depth and --size for it; with other options, adopt "
                    f"it first: {command})"
                ) from error
            adopted[given] = path
        yield adopted


def _say(given: str, sentence: str) -> None:
    say(f"{given}: {sentence}")


def _is_of_others(path: Path) -> bool:
    """Return whether a path is an ONNX file without a contract; False for one that cannot be read."""
    from ...engine.modelfile.contract import METADATA_KEY
    from ...engine.modelfile.onnx_metadata import read_onnx_metadata

    if path.suffix != _SUFFIX or not path.is_file():
        return False
    try:
        return METADATA_KEY not in read_onnx_metadata(path)
    except DepthrtError:
        return False


def _places(theirs: Sequence[str], folder: Path) -> dict[str, Path]:
    """Return where each file is written, under a name that tells it apart in the report."""
    names = [Path(given).name for given in theirs]
    return {
        given: folder / str(number) / (name if names.count(name) == 1 else f"{_folder_name(Path(given))}-{name}")
        for number, (given, name) in enumerate(zip(theirs, names, strict=True))
    }


def _folder_name(path: Path) -> str:
    """Return the name of a file's folder; of a folder "onnx" that of the one above, as repositories have it."""
    parent = path.absolute().parent
    return parent.parent.name if parent.name == "onnx" else parent.name

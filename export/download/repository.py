"""ONNX files that anybody keeps on the Hugging Face hub: what a repository holds, and the one that is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from ...engine.errors import FetchError, InputError
from ...engine.system.field_types import printable
from ...engine.terms import OnStep
from ..catalog import find
from ..families.entry import HubSource
from ..licences import LICENCES, UNKNOWN, check_accepted, licence_words
from . import hub
from .beside import locations_in
from .fetch import OFFLINE, alone, from_hub, is_offline

SUFFIX = ".onnx"
SETTINGS = ("config.json", "preprocessor_config.json", "quantize_config.json")
HUB = "https://huggingface.co/"

_REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
# What exporters call precisions. Source: transformers.js src/utils/dtypes.js (DEFAULT_DTYPE_SUFFIX_MAPPING)
_PRECISIONS: Mapping[str, str] = {
    "q4f16": "4-bit, fp16",
    "bnb4": "4-bit",
    "q4": "4-bit",
    "quantized": "8-bit",
    "int8": "8-bit",
    "uint8": "8-bit",
    "bf16": "bf16",
    "fp16": "fp16",
    "fp32": "fp32",
}
_PLAIN = "model"  # is the name of the file in float32 beside others


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """An ONNX file of a repository.

    Args:
        name: Its path in the repository.
        size_bytes: With the files of its weights beside it.
        precision: As its name says it; "" if that says nothing.
        beside: Files of its weights, by their names.
    """

    name: str
    size_bytes: int
    precision: str
    beside: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on the hub that holds ONNX files.

    Args:
        name: "onnx-community/depth-anything-v2-small".
        commit: Its hash.
        licence: Of the weights; "unknown" if nobody states it.
        licence_from: The repository that states it: this one, or that of the model its weights come from.
        files: Its ONNX files.
        settings: The JSON files that say how its networks are used.
    """

    name: str
    commit: str
    licence: str
    licence_from: str
    files: tuple[OnnxFile, ...]
    settings: tuple[str, ...]

    @property
    def page(self) -> str:
        """Return the address for people."""
        return f"{HUB}{self.name}"

    @property
    def licence_line(self) -> str:
        """Return the licence for people, and who states it."""
        if not self.licence_from:
            return "no licence stated: ask its publisher what its weights may be used for"
        base = "" if self.licence_from == self.name else f", the licence of its base model {self.licence_from}"
        return f"{licence_words(self.licence)}{base}"


def repository_in(name: str) -> str | None:
    """Return the repository that a name means, "ORG/NAME"; None for other names, and for those of the catalog."""
    plain = name.removeprefix(HUB).rstrip("/")
    if not _REPOSITORY.fullmatch(plain):
        return None
    entry = find(plain)
    known = () if entry is None else tuple(map(str.lower, entry.repositories))
    return None if plain.lower() in known else plain


def list_onnx(name: str) -> Repository:
    """Ask the hub which ONNX files a repository holds; nothing is downloaded.

    Args:
        name: "ORG/NAME".

    Raises:
        FetchError: The hub cannot be reached or refuses.
        InputError: The repository holds no ONNX file.
        BackendUnavailable: The extra `hub` is not installed.
    """
    told = hub.describe(HubSource(name, ()))
    names = [name for name in told.sizes_bytes if "|" not in name]
    files = [one for one in names if one.endswith(SUFFIX)]
    if not files:
        held = sorted({PurePosixPath(name).suffix for name in names} - {""})
        raise InputError(f"{HUB}{name} holds no {SUFFIX} file, only {', '.join(held) or 'nothing'}; give another one")
    licence, stated_by = _licence(name, told)
    return Repository(
        name=name,
        commit=told.commit,
        licence=licence,
        licence_from=stated_by,
        files=tuple(_onnx_file(one, names, told.sizes_bytes) for one in sorted(files)),
        settings=tuple(one for one in names if PurePosixPath(one).name in SETTINGS),
    )


def fetch_onnx(
    name: str,
    file: str,
    folder: Path | None = None,
    *,
    accept_licence: bool = False,
    on_note: Callable[[str], None] = lambda sentence: None,
    on_bytes: OnStep = lambda title, held, wanted: None,
) -> Path:
    """Return where an ONNX file of a repository lies, and download what this machine lacks of it; blocks meanwhile.

    Its weights in other files, and the JSON files beside it and above it, come with it.

    Args:
        name: "ORG/NAME".
        file: Its path in the repository, or its name if that is in the repository once.
        folder: Where to put it, in a folder of the repository's name. None: the hub's own cache (HF_HOME).
        accept_licence, on_note, on_bytes: As in fetch.

    Raises:
        InputError: The repository holds no such file, or its licence is not accepted.
        FetchError: It cannot be downloaded, or the bytes are not those that they should be.
        BackendUnavailable: The extra `hub` is not installed.
    """
    goal = None if folder is None else folder.absolute()
    if is_offline():
        path = _in_cache(name, file)
        if goal is not None:
            raise InputError(f"{OFFLINE} is set, so nothing is copied to {folder}; take {path}, or unset {OFFLINE}")
        return path
    repository = list_onnx(name)
    check_accepted(repository, accept_licence)
    on_note(f"{name}: {repository.licence_line}")
    chosen = _choose(repository, file)
    above = {str(parent / one) for parent in PurePosixPath(chosen.name).parents for one in SETTINGS}
    wanted = (chosen.name, *chosen.beside, *(one for one in repository.settings if one in above))
    with alone(name, on_note):
        path = _bring(name, wanted, goal, on_bytes) / chosen.name
        further = sorted(locations_in(path, PurePosixPath(chosen.name).parent) - set(wanted))
        if further:
            _bring(name, further, goal, on_bytes)
    return path


def _bring(name: str, files: Iterable[str], goal: Path | None, on_bytes: OnStep) -> Path:
    """Bring files of a repository; return the folder in which they have their paths."""
    patterns = tuple(re.sub(r"([*?[])", r"[\1]", file) for file in files)
    return Path(from_hub(HubSource(name, patterns, folder=True), goal, on_bytes).path)


def _in_cache(name: str, file: str) -> Path:
    """Return a file that an earlier call or another program left in the hub's cache."""
    found = hub.find_in_cache(HubSource(name, (f"{file}|*/{file}",), folder=True))
    if found is None:
        raise FetchError(
            f"{file} of {name} is not on this machine, and {OFFLINE} is set; unset it to download the file"
        )
    return next(iter(found[1].values()))


def _choose(repository: Repository, file: str) -> OnnxFile:
    """Return the file that is asked for."""
    named = [one for one in repository.files if file in (one.name, PurePosixPath(one.name).name)]
    exact = [one for one in named if one.name == file]
    if len(exact or named) == 1:
        return (exact or named)[0]
    names = [one.name for one in named or repository.files]
    near = get_close_matches(file, names, n=1, cutoff=0.5)
    what = f"holds {len(named)} files {file}" if named else f"holds no {printable(file, 100)}"
    raise InputError(
        f"{repository.page} {what}; give --file {near[0] if near else names[0]}, or one of: {', '.join(names)}"
    )


def _onnx_file(name: str, names: Iterable[str], sizes_bytes: Mapping[str, int]) -> OnnxFile:
    beside = tuple(sorted(_beside(name, names)))
    return OnnxFile(name, sum(sizes_bytes[one] for one in (name, *beside)), _precision(name), beside)


def _beside(name: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the files that, by their names, hold the weights of an ONNX file: model.onnx_data, model.onnx.data, ..."""
    stem = name.removesuffix(SUFFIX)
    begins = (f"{name}_data", f"{name}.data", f"{stem}.data", f"{stem}_data", f"{stem}.weights")
    return (other for other in names if other.startswith(begins) and not other.endswith(SUFFIX))


def _precision(name: str) -> str:
    """Return the precision that a file's name says."""
    stem = PurePosixPath(name).stem.lower()
    words = re.split(r"[_.-]", stem)
    found = next((_PRECISIONS[word] for word in reversed(words) if word in _PRECISIONS), "")
    return "fp32" if not found and stem == _PLAIN else found


def _licence(name: str, told: hub.Described) -> tuple[str, str]:
    """Return the licence of a repository's weights, and which repository states it.

    Where the catalog knows the model that they come from, and its licence restricts the use, that one counts: a card
    does not lift it.
    """
    known = [(entry.licence, base) for base in told.bases if (entry := find(base)) and base in entry.repositories]
    restricted = [(licence, base) for licence, base in known if LICENCES[licence].restriction]
    stated = next((one for one in LICENCES if one.lower() == told.licence.lower()), printable(told.licence, 100))
    own = [(stated, name)] if stated else []
    return next(iter((*restricted, *own, *known)), (UNKNOWN, ""))

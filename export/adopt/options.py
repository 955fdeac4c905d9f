"""What the user says of an ONNX file of others, which never says it all itself."""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.errors import InputError
from ...engine.terms import FAMILIES, KINDS, Family, Kind
from ..catalog import find, find_published
from ..families.claim import Claim

Triple = tuple[float, float, float]

LEAST_STD, MOST_STD = 1e-4, 10.0  # as in the contract


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user says of a file; None: it is read from the file and what lies beside it, or is an error.

    Args:
        like: A family, "depth-anything-v2", or a published model, "depth-anything-v2-vits", as which images are brought
            to the network and its output means.
        kind: Of its output.
        max_depth_m: Upper end of a metric output.
        size: Short side in px, or (H, W); a dynamic graph becomes a static one by (H, W).
        mean, std: Of RGB in [0, 1]; the network's input is (RGB - mean) / std.
        output: Name of the output that is the depth.
    """

    like: str | None = None
    kind: Kind | None = None
    max_depth_m: float | None = None
    size: int | tuple[int, int] | None = None
    mean: Triple | None = None
    std: Triple | None = None
    output: str | None = None


def check_options(options: Options) -> None:
    """Raise InputError for options that contradict each other, or are outside their range."""
    if options.kind is not None and options.kind not in KINDS:
        raise InputError(f"--kind {options.kind} found, expected one of {', '.join(KINDS)}")
    if options.max_depth_m is not None and options.kind not in (None, "metric"):
        raise InputError(f"--max-depth found with --kind {options.kind}; it is for --kind metric")
    if options.max_depth_m is not None and not 0 < options.max_depth_m < float("inf"):
        raise InputError(f"--max-depth {options.max_depth_m:g} found, expected metres above 0")
    if (options.mean is None) != (options.std is None):
        given, lacking = ("--mean", "--std") if options.std is None else ("--std", "--mean")
        raise InputError(f"{given} found without {lacking}; give both, of RGB in [0, 1]")
    if options.mean is not None and not all(0 <= value <= 1 for value in options.mean):
        raise InputError(f"--mean {_listed(options.mean)} found, expected numbers from 0 to 1: of RGB in [0, 1]")
    if options.std is not None and not all(LEAST_STD <= value <= MOST_STD for value in options.std):
        raise InputError(f"--std {_listed(options.std)} found, expected numbers from {LEAST_STD:g} to {MOST_STD:g}")
    sides = (options.size,) if isinstance(options.size, int) else options.size or ()
    if any(side < 1 for side in sides):
        raise InputError(f"--size {options.size} found, expected 1 px or more")


def claim_of_options(options: Options) -> tuple[Claim, str | None]:
    """Return what the options say of the model, and the encoder of a published model that they name.

    Raises:
        InputError: --like names nothing that depthrt knows.
    """
    family, entry = _family(options.like), None
    if options.like is not None and family is None:
        entry = find(options.like) or find_published(options.like)
    kind, max_depth_m = options.kind, options.max_depth_m
    if entry is not None:
        kind, family = kind or entry.kind, entry.family
        max_depth_m = max_depth_m or (entry.max_depth_m if kind == "metric" else None)
    licence = entry.licence if entry is not None else None
    return Claim("the options", family, kind, max_depth_m, licence), entry.encoder if entry is not None else None


def _family(name: str | None) -> Family | None:
    return next((family for family in FAMILIES if family == name), None)


def _listed(values: Triple) -> str:
    return ",".join(f"{value:g}" for value in values)

"""One published model, as the catalog lists it; nothing here or in published/ needs torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...engine.modelfile.size_rule import Rule
from ...engine.terms import Family, Kind


@dataclass(frozen=True, slots=True)
class HubSource:
    """Files of a repository on the Hugging Face hub.

    Args:
        repository: "depth-anything/Depth-Anything-V2-Small".
        files: Their paths in it. A pattern with * names all that match; "a|b" names a, or b if the repository has no a.
        folder: False for one weights file that is given to `export` by itself; True for a folder that is read as a
            whole, config.json and weights.
        revision: Branch, tag or commit.
        kind: Of the repository: models lie in one of models, but some publishers keep them beside a demo, in a space.
    """

    repository: str
    files: tuple[str, ...]
    folder: bool = False
    revision: str = "main"
    kind: Literal["model", "space"] = "model"

    @property
    def page(self) -> str:
        """Return the address for people."""
        return f"https://huggingface.co/{'spaces/' if self.kind == 'space' else ''}{self.repository}"


@dataclass(frozen=True, slots=True)
class ReleaseSource:
    """One file of a release on GitHub.

    Args:
        repository: "isl-org/MiDaS".
        tag: Of the release.
        file: Its name.
    """

    repository: str
    tag: str
    file: str

    @property
    def page(self) -> str:
        """Return the address for people."""
        return f"https://github.com/{self.repository}/releases/tag/{self.tag}"


Source = HubSource | ReleaseSource


@dataclass(frozen=True, slots=True)
class Verified:
    """What was run to know that the network answers as its publisher's code does.

    Args:
        network: "full size": the published sizes of all layers. "reduced": the same structure with fewer or narrower
            layers.
        weights: "random" (seeded), or "published".
        against: What it was compared with: "a second writing of the official code in numpy and torch".
        largest: Largest difference of the depth, over its range.
        by: Program or test in this repository that does it again: "tests/compare_midas.py".
    """

    network: Literal["full size", "reduced"]
    weights: Literal["random", "published"]
    against: str
    largest: float
    by: str

    def __str__(self) -> str:
        """Return it in few words."""
        return f"{self.network}, {self.weights} weights"


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One published model.

    Args:
        name: As in a model file's contract, e.g. "depth-anything-v2-vits-metric-20m", or the official file name.
        file_name: As published, e.g. "depth_anything_v2_metric_hypersim_vits.pth".
        family: "depth-anything-v1", "midas", ...
        encoder: As its architecture calls it, e.g. "vits".
        kind: "inverse", "metric" or "scale".
        max_depth_m: Upper end of a metric model's output; None for inverse, and for output without a bound.
        parameters: Number of weights in the file.
        licence: Of the weights, as their publisher states it; one of licences.LICENCES.
        licence_note: A contradiction between the publisher's statements, or "".
        repositories: On Hugging Face: of the published file, then of the transformers folder.
        published: False if the publisher has announced the file but not released it.
        other_names: Names of the same file in older releases.
        base_px: (h, w) that the network is exported with if the user asks for no size; as Conventions.base_px.
        rule: How an image's size becomes the input's size; as Conventions.rule.
        source: Where `depthrt fetch` gets it; None if it is not fetched.
        sha256: Of the file, or the first digits of it, where the publisher tells; "" where not. Files of the hub need
            none: the hub tells.
        verified: What was run; None if nothing was, and then the catalog does not list it.
    """

    name: str
    file_name: str
    family: Family
    encoder: str
    kind: Kind
    max_depth_m: float | None
    parameters: int
    licence: str
    licence_note: str
    repositories: tuple[str, ...]
    published: bool = True
    other_names: tuple[str, ...] = ()
    base_px: tuple[int, int] | None = None
    rule: Rule = "lower_bound"
    source: Source | None = None
    sha256: str = ""
    verified: Verified | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name that the model is known by."""
        return tuple(dict.fromkeys((self.name, self.file_name, *self.repositories, *self.other_names)))

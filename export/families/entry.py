"""One published model, as the catalog lists it."""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.terms import Family, Kind


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One published model.

    Args:
        name: As in a model file's contract, e.g. "depth-anything-v2-vits-metric-20m", or the official file name.
        file_name: As published, e.g. "depth_anything_v2_metric_hypersim_vits.pth".
        family: "depth-anything-v1", "midas", ...
        encoder: As its architecture calls it, e.g. "vits".
        kind: "inverse" or "metric".
        max_depth_m: Upper end of a metric model's output; None for inverse, and for output without a bound.
        parameters: Number of weights in the file.
        licence: Of the weights, as their publisher states it.
        licence_note: A contradiction between the publisher's statements, or "".
        repositories: On Hugging Face: of the published file, then of the transformers folder.
        published: False if the publisher has announced the file but not released it.
        other_names: Names of the same file in older releases.
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

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name that the model is known by."""
        return (self.name, self.file_name, *self.repositories, *self.other_names)

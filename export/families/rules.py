"""What a family has to say of itself: a row of the table of families."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

import torch
from torch import Tensor

from ...engine.errors import InputError
from ...engine.modelfile.contract import FinalResize, InputResize
from ...engine.modelfile.size_rule import Margin, Pad, Rule
from ...engine.terms import PRECISIONS, Family, Kind, Noise, Precision
from ..network.network import AnyArchitecture, Network
from .claim import Claim
from .entry import CatalogEntry
from .half import HalfDrift
from .hub.settings import FolderSettings

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of RGB in [0, 1]
HALF = (0.5, 0.5, 0.5)  # MiDaS' mean and standard deviation for transformers

Kinds = Mapping[Family, tuple[Kind, ...]]

A = TypeVar("A", bound=AnyArchitecture)


@dataclass(frozen=True, slots=True)
class Conventions:
    """How images are brought to a network and its output back to them, as the official code does.

    Args:
        base_px: (h, w) that the size rule aims at if the user asks for no size; for rules "square" and
            "stretch" that of the static graph, and for "square" the only size.
        rule: How an image's size becomes the input's size in a dynamic graph, or a rule of static graphs only.
        final_resize: How the output is resized to the image's size.
        mean, std: Of RGB in [0, 1].
        input_resize: How the image is resized to the input's size.
        margin: What is put around the image before the resize.
        pad: What fills the input of a dynamic graph beside the image.
        mirrored: Whether the network answers with the mean of an image and its mirror image.
        attention: Whether the network has attention.
        batch: Number of images that a graph takes; None for any number.
        steps, seed: As in Contract.
        focal_unit_px: Of metric networks, as in the contract.
        sky_from: As in the contract.
    """

    base_px: tuple[int, int]
    rule: Rule
    final_resize: FinalResize
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    input_resize: InputResize = "cubic"
    margin: Margin = "none"
    pad: Pad = "mirror"
    mirrored: bool = False
    attention: bool = True
    batch: int | None = None
    steps: int | None = None
    seed: int | None = None
    focal_unit_px: float | None = None
    sky_from: float | None = None


class FamilyRules(ABC, Generic[A]):
    """A family of networks with the same tensor names: how it is recognised, its network, and what its numbers mean.

    Attributes:
        name: For people: "Depth Anything".
        title: What of it is exported: "Depth Anything V1 and V2".
        kinds: The kinds of each family of the contract that has these tensors.
        model_types: Of a config.json of transformers.
        mark: Matches a name that no family after this one in the table has, in any naming.
        anchor: Begins of the names of its tensors, in any naming; what stands before them in a file is a prefix.
        parts: First parts of the names of the encoder and of the head, for each naming, the official one first.
        beside: Matches names of its tensors that other networks have, too; they count at the network's own prefix.
        unused: Matches tensors that the network never uses and that files may lack.
        ignored: Matches tensors of files that the network does not have: counters, and tables that it computes.
        look_alikes: Which other models hold the same tensors, for the error that asks for options; "" if none do.
        entries: Its published models.
        precisions: That its networks are exported in.
        half: Measured drift of its published networks in half precision; what drifts too far is not exported.
        half_only_measured: Whether half precision is refused, too, where nothing was measured.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    kinds: ClassVar[Kinds]
    model_types: ClassVar[tuple[str, ...]] = ()
    mark: ClassVar[re.Pattern[str]]
    anchor: ClassVar[str]
    parts: ClassVar[tuple[tuple[str, str], ...]]
    beside: ClassVar[re.Pattern[str] | None] = None
    unused: ClassVar[re.Pattern[str] | None] = None
    ignored: ClassVar[re.Pattern[str] | None] = None
    look_alikes: ClassVar[str] = ""
    entries: ClassVar[tuple[CatalogEntry, ...]] = ()
    precisions: ClassVar[tuple[Precision, ...]] = PRECISIONS
    half: ClassVar[tuple[HalfDrift, ...]] = ()
    half_only_measured: ClassVar[bool] = False

    @property
    def families(self) -> tuple[Family, ...]:
        """Return the families of the contract that have these tensors."""
        return tuple(self.kinds)

    def owns(self, names: Iterable[str]) -> bool:
        """Return whether tensors with these names, without a prefix, are of this family, and not of one before it."""
        return any(self.mark.search(name) for name in names)

    def ignores(self, name: str) -> bool:
        """Return whether the network does not have a tensor of a file, official or renamed."""
        return self.ignored is not None and bool(self.ignored.search(name))

    def to_official_names(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Rename tensors of transformers; official names and unknown ones stay as they are.

        Raises:
            ModelFileError: A part of a joined tensor is missing, or two tensors get the same name.
        """
        return dict(tensors)

    @abstractmethod
    def infer(self, tensors: Mapping[str, Tensor], path: Path, settings: FolderSettings | None = None) -> A:
        """Read the sizes of the network off its tensors under official names.

        Args:
            tensors: By official name, with those that match `ignored`.
            path: For messages.
            settings: Of the folder, for sizes that no tensor shows.

        Args:
            tensors: With those that the network does not have, whose shapes can show a size, too.
            path: For messages.

        Raises:
            ModelFileError: A tensor that shows a size is missing, or the size is impossible.
        """

    @abstractmethod
    def shown_by_tensors(self, architecture: A) -> Claim | None:
        """Return what the tensors show of family, kind and maximum depth; None for nothing."""

    def shown_by_config(
        self, settings: FolderSettings, tensors: dict[str, Tensor], architecture: A
    ) -> tuple[Claim | None, list[str]]:
        """Return what a config.json says, and remarks; move into the tensors what transformers does after them.

        Raises:
            ModelFileError: It asks for something that this network does not compute.
        """
        return self.shown_by_tensors(architecture), []

    def left_out(self, ignored: Iterable[str]) -> tuple[str, ...]:
        """Return remarks about tensors of a file that the network does not have, one sentence each."""
        return ()

    def assumed(self, architecture: A) -> Claim | None:
        """Return what is taken if neither the user, the file nor its name says it, with a remark."""
        return None

    def has_bound(self, architecture: A, kind: Kind) -> bool:
        """Return whether the network needs a maximum depth."""
        return kind == "metric"

    def check_options(self, family: Family, kind: Kind | None, max_depth_m: float | None) -> None:
        """Refuse what no network of a family can be.

        Raises:
            InputError: The family has no such kind.
        """
        if kind is not None and kind not in self.kinds[family]:
            only = " or ".join(self.kinds[family])
            raise InputError(
                f"--family {family} with --kind {kind}: its networks answer {only} depth; give --kind {only}"
            )

    def with_steps(self, architecture: A, *, steps: int | None, seed: int | None, noise: Noise | None) -> A:
        """Return the architecture with the steps that options ask for; None leaves the default.

        Raises:
            InputError: The network has no steps, or not as asked for.
        """
        for option, value in (("--steps", steps), ("--seed", seed), ("--noise", noise)):
            if value is not None:
                raise InputError(f"{option} {value} found, {self.name} has no diffusion steps; leave the option out")
        return architecture

    @abstractmethod
    def make(
        self, architecture: A, *, family: Family, kind: Kind, max_depth_m: float | None, mirror: bool = True
    ) -> Network:
        """Return the network with torch's initial weights.

        Args:
            architecture: Sizes of the layers.
            family, kind, max_depth_m: As recognised.
            mirror: False leaves out the mean with the mirror image, in a network that takes it.
        """

    @abstractmethod
    def conventions(self, architecture: A, family: Family) -> Conventions:
        """Return how images are brought to the network, and its output back to them."""

    def remarks(self, architecture: A, family: Family) -> tuple[str, ...]:
        """Return what was guessed about the network, one sentence each."""
        return ()

    def expected_shapes(self, architecture: A) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor of the network by its official name."""
        family = self.families[0]
        kind = self.kinds[family][0]
        bound = 1.0 if self.has_bound(architecture, kind) else None
        with torch.device("meta"):  # shapes without memory; family and kind change none
            network = self.make(architecture, family=family, kind=kind, max_depth_m=bound)
        return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}

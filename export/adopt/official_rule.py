"""How far an adopted file's way to resize images leads away from the official way of its family, in depth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ...engine.errors import DepthrtError
from ...engine.images.fit import fit_image
from ...engine.images.read import read_image
from ...engine.images.resize.pillow import pillow_bands
from ...engine.modelfile.canary import drift
from ...engine.modelfile.contract import Contract
from ...engine.modelfile.shipped import PHOTO
from ...engine.modelfile.size_rule import Rule, SizeRule, in_px
from ...engine.terms import OnStep
from ..families.rules import Conventions
from .probes.asked import ask

Px = tuple[int, int]  # (h, w)

# Of the shipped photograph, and of a larger one: "minimal" scales a small photograph until its long side fits, where
# "lower_bound" always aims at the short side.
PHOTOS_PX: tuple[Px, ...] = ((400, 600), (1080, 1620))

_NOTICED = 5e-5  # of the range; less is printed as 0.00 %


@dataclass(frozen=True, slots=True)
class Deviation:
    """Depth of a photograph by a file's own way, against that by the official way.

    Args:
        image_px: (h, w) of the photograph.
        input_px: (h, w) of the network's input by the file's own way.
        official_px: (h, w) of the network's input by the official way.
        drift: Mean |difference| of the depths over the official one's 2-98 % range.
    """

    image_px: Px
    input_px: Px
    official_px: Px
    drift: float

    def __str__(self) -> str:
        """Return it as a part of a sentence."""
        sizes = in_px(self.input_px)
        if self.official_px != self.input_px:
            sizes = f"{sizes} instead of {in_px(self.official_px)}"
        return f"{self.drift:.2%} of the range for a photograph of {in_px(self.image_px)} px (input {sizes})"


def official_contract(contract: Contract, conventions: Conventions, patch_px: int | None = None) -> Contract:
    """Return a contract with the official way of a family: sizes, resizes, margin, mean and standard deviation.

    A graph of one size keeps it, and fits an image in as `export --size HxW` does.

    Args:
        contract: Of the adopted file.
        conventions: Of the family.
        patch_px: Of the network; None takes the contract's multiple.
    """
    size, fixed = contract.size, conventions.rule in ("square", "stretch")
    rule: Rule = conventions.rule if fixed or not size.static else "letterbox"
    official = SizeRule(
        base_px=size.base_px if size.static else conventions.base_px,
        multiple_px=patch_px or size.multiple_px,
        rule=rule,
        pad="mirror" if size.static else conventions.pad,
        margin=conventions.margin,
    )
    return replace(
        contract,
        size=official,
        mean=conventions.mean,
        std=conventions.std,
        input_resize=conventions.input_resize,
        final_resize=conventions.final_resize,
    )


def deviations(
    path: Path,
    contract: Contract,
    conventions: Conventions,
    *,
    patch_px: int | None = None,
    on_step: OnStep = lambda title, done, wanted: None,
) -> tuple[Deviation, ...]:
    """Run an adopted file on a photograph in two sizes, by its own way and by the official way of its family.

    Args:
        path: The file, in our convention.
        contract: Of the file.
        conventions, patch_px: As in official_contract.
        on_step: Called with (title, steps done, steps wanted).
    """
    official = official_contract(contract, conventions, patch_px)
    photograph = read_image(PHOTO)
    found = []
    with ask(path, contract) as own:
        for done, image_px in enumerate(PHOTOS_PX):
            on_step("compare with the official way to resize", done, len(PHOTOS_PX))
            (image,) = pillow_bands(photograph, image_px, "cubic_uint8")
            away = drift(own.answer(image), own.under(official).answer(image))
            input_px, official_px = (fit_image(way.size, image_px).input_px for way in (contract, official))
            found.append(Deviation(image_px, input_px, official_px, away))
    return tuple(found)


def remark_on_rule(
    path: Path,
    contract: Contract,
    conventions: Conventions,
    *,
    patch_px: int | None = None,
    on_step: OnStep = lambda title, done, wanted: None,
) -> str:
    """Return a sentence that says how far a file's way leads away from the official one; "" if that shows nowhere.

    Args:
        path, contract, conventions, patch_px, on_step: As in deviations.
    """
    if official_contract(contract, conventions, patch_px) == contract:
        return ""
    begin = f"Images are not resized by the official rule of {contract.family}"
    try:
        found = deviations(path, contract, conventions, patch_px=patch_px, on_step=on_step)
    except DepthrtError as error:
        return f"{begin}, and it does not run by that: {error}."
    if all(one.drift < _NOTICED for one in found):
        return ""
    return f"{begin}: the depth departs from the official by {', and by '.join(map(str, found))}."

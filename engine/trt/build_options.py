"""Options of a build: input sizes, GPUs, memory; checked against the contract before TensorRT gets them."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from ..errors import InputError
from ..images.fit import fit_image
from ..modelfile.contract import Contract
from ..modelfile.size_rule import Side, SizeRule, in_px
from ..system.field_types import Count, Length, Pattern, Range
from ..system.records import Mismatch

# Images (H, W) that an engine of a dynamic file takes if no size is given, best the first: 4:3, 16:9 and 9:16. Most
# cameras are within.
IMAGES_PX = ((480, 640), (1080, 1920), (1920, 1080))

Px = tuple[Side, Side]
Shape = tuple[int, ...]
Size = Annotated[int, Range(1, 1 << 20)]  # of a tensor along one axis
Capability = Annotated[str, Pattern(r"[0-9]{1,3}\.[0-9]{1,3}", "such as 8.9")]
Capabilities = Annotated[tuple[Capability, ...], Length(0, 64)]


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """Options of a build; each of them can change the engine's bytes.

    Args:
        min_px, opt_px, max_px: (h, w) of a dynamic file's smallest, fastest and largest input. If some are None,
            opt_px takes max_px or min_px, and the others take opt_px; if all are None, those of images up to 16:9 both
            ways, best at 4:3.
        batch: Smallest, best and largest number of images of a dynamic file.
        compute_capabilities: Of the GPUs that a TensorRT-RTX engine is for, e.g. "8.9". Empty: portable, for every
            GPU from 8.0 on that TensorRT-RTX supports. The full TensorRT builds for this machine's GPU.
        workspace_mib: Most memory that a layer may use while it runs; None for no limit.
        tf32: Let float32 matrix products round their inputs to 10 bits: faster, with a drift of about 1e-3.
    """

    min_px: Px | None = None
    opt_px: Px | None = None
    max_px: Px | None = None
    batch: tuple[Count, Count, Count] = (1, 1, 1)
    compute_capabilities: Capabilities = ()
    workspace_mib: Count | None = None
    tf32: bool = False

    def check(self) -> None:
        """Raise Mismatch unless the sizes and the batches are in order."""
        if list(self.batch) != sorted(self.batch):
            raise Mismatch(".batch", f"is {self.batch}, expected min <= opt <= max")
        given = [(name, size) for name in ("min_px", "opt_px", "max_px") if (size := getattr(self, name)) is not None]
        for (_, least), (name, size) in pairwise(given):
            if size[0] < least[0] or size[1] < least[1]:
                raise Mismatch(f".{name}", f"is {in_px(size)}, expected {in_px(least)} or more in height and in width")


DEFAULT = BuildOptions()


@dataclass(frozen=True, slots=True)
class Profile:
    """The inputs (N, 3, h, w) that an engine takes: at least `min`, at most `max`, fastest at `opt`."""

    min: tuple[Size, Size, Size, Size]
    opt: tuple[Size, Size, Size, Size]
    max: tuple[Size, Size, Size, Size]

    def check(self) -> None:
        """Raise Mismatch unless min <= opt <= max on every axis."""
        for least, most, name in ((self.min, self.opt, "opt"), (self.opt, self.max, "max")):
            if any(low > high for low, high in zip(least, most, strict=True)):
                raise Mismatch(f".{name}", f"is {most}, expected {least} or more on every axis")

    def takes(self, shape: Shape) -> bool:
        """Return whether the engine takes an input (N, 3, h, w)."""
        return all(least <= side <= most for least, side, most in zip(self.min, shape, self.max, strict=True))


def choose_profile(contract: Contract, options: BuildOptions) -> Profile:
    """Return the inputs that an engine of a model file takes.

    Raises:
        InputError: Sizes or a batch were given for a static file, or sizes are not multiples of the network's patch, or
            are out of order.
    """
    if contract.size.static:
        return _static_profile(contract, options)
    sizes = _sizes(contract.size, options)
    for size_px in sizes:
        _check_multiple(size_px, contract.size.multiple_px)
    heights, widths = zip(*sizes, strict=True)
    if list(heights) != sorted(heights) or list(widths) != sorted(widths):
        raise InputError(f"sizes {_in_words(sizes)} found, expected min <= opt <= max in height and in width")
    if not 1 <= options.batch[0] <= options.batch[1] <= options.batch[2]:
        raise InputError(f"batch {options.batch} found, expected 1 <= min <= opt <= max")
    least, best, most = ((count, 3, *size_px) for count, size_px in zip(options.batch, sizes, strict=True))
    return Profile(least, best, most)


def _static_profile(contract: Contract, options: BuildOptions) -> Profile:
    base_px = contract.size.base_px
    asked = [size_px for size_px in (options.min_px, options.opt_px, options.max_px) if size_px is not None]
    if any(size_px != base_px for size_px in asked) or options.batch != (1, 1, 1):
        name = shlex.quote(contract.source_name)
        other = f"export it dynamic: depthrt export {name} -o model.onnx --size {min(base_px)}"
        if contract.adopted is not None:
            other = f"adopt a dynamic export of {contract.source_name}"
        raise InputError(
            f"the file is static, {in_px(base_px)} and one image a batch, so no other sizes can be built; {other}"
        )
    shape = (1, 3, *base_px)
    return Profile(shape, shape, shape)


def _sizes(rule: SizeRule, options: BuildOptions) -> tuple[Px, Px, Px]:
    """Return (min, opt, max) in px; fills in those that were not given."""
    best = options.opt_px or options.max_px or options.min_px
    if best is not None:
        return options.min_px or best, best, options.max_px or best
    inputs_px = [fit_image(rule, image_px).input_px for image_px in IMAGES_PX]
    heights, widths = zip(*inputs_px, strict=True)
    return (min(heights), min(widths)), inputs_px[0], (max(heights), max(widths))


def _check_multiple(size_px: Px, multiple_px: int) -> None:
    if any(side < multiple_px or side % multiple_px for side in size_px):
        nearest = (max(1, round(side / multiple_px)) * multiple_px for side in size_px)
        raise InputError(
            f"size {_in_words([size_px])} found, expected multiples of the network's {multiple_px} px; "
            f"try {_in_words([tuple(nearest)])}"  # type: ignore[list-item]
        )


def _in_words(sizes: list[Px] | tuple[Px, ...]) -> str:
    return ", ".join(map(in_px, sizes))

"""Place of an image in the network's input: the size rules of all families, and the margin around an image."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import InputError
from ..modelfile.size_rule import Rule, SizeRule, in_px

Px = tuple[int, int]  # (height, width)


@dataclass(frozen=True, slots=True)
class Fit:
    """Place of an image in the network's input.

    Args:
        input_px: (h, w) of the network's input.
        content_px: (h, w) of the resized image in it; equal to input_px unless padded.
        offset_px: (top, left) of the resized image in it.
        margin_px: Rows above and below, and columns left and right, that are added to the image before it is resized,
            and cut off its depth.
    """

    input_px: Px
    content_px: Px
    offset_px: Px = (0, 0)
    margin_px: Px = (0, 0)

    @property
    def padded(self) -> bool:
        """Whether part of the input is padding."""
        return self.content_px != self.input_px

    def framed_px(self, image_px: Px) -> Px:
        """Return the size of an image with its margin."""
        return (image_px[0] + 2 * self.margin_px[0], image_px[1] + 2 * self.margin_px[1])


def fit_image(rule: SizeRule, image_px: Px) -> Fit:
    """Return the place of an image of (H, W) px in the network's input.

    Raises:
        InputError: The image is so narrow that a side of the input would be 0 px.
    """
    margin_px = (zoe_margin(image_px[0]), zoe_margin(image_px[1])) if rule.margin == "zoe" else (0, 0)
    framed_px = (image_px[0] + 2 * margin_px[0], image_px[1] + 2 * margin_px[1])
    content_px = _CONTENT[rule.rule](rule, framed_px)
    if 0 in content_px:
        raise InputError(
            f"the image is {in_px(image_px)} px (HxW), and the model's size rule, {rule.rule} of "
            f"{in_px(rule.base_px)}, makes it {in_px(content_px)} px; crop the image, so that its sides differ less"
        )
    if rule.static:
        input_px = rule.base_px
    else:
        input_px = (_up(content_px[0], rule.multiple_px), _up(content_px[1], rule.multiple_px))
    # Centred on the grid of patches, so that no patch mixes image and padding; less than a patch is added at the end.
    top, left = (
        (whole - side) // (2 * rule.multiple_px) * rule.multiple_px
        for whole, side in zip(input_px, content_px, strict=True)
    )
    return Fit(input_px, content_px, (top, left), margin_px)


def zoe_margin(side: int) -> int:
    """Return how many px ZoeDepth adds at both ends of a side.

    Source: ZoeDepth, zoedepth/models/depth_model.py (_infer_with_pad_aug, fh and fw 3)
    """
    return int(math.sqrt(side / 2) * 3)


def scaled_into(base_px: Px, image_px: Px) -> Px:
    """Return the largest size inside base_px at the image's aspect, rounded half to even, at least 1x1.

    Source: Depth-Anything-3, src/depth_anything_3/utils/io/input_processor.py (_resize_longest_side)
    """
    scale = min(base_px[0] / image_px[0], base_px[1] / image_px[1])
    return (max(1, round(image_px[0] * scale)), max(1, round(image_px[1] * scale)))


def _lower_bound(rule: SizeRule, image_px: Px) -> Px:
    """Scale so that both sides are at least base; round to multiples, up if the result is below base.

    Source: MiDaS, midas/transforms.py (Resize), which Depth Anything V1 and V2 took over
    """
    scale = max(_scales(rule, image_px))
    height, width = (
        _nearest(scale * side, rule.multiple_px, at_least=base)
        for side, base in zip(image_px, rule.base_px, strict=True)
    )
    return height, width


def _upper_bound(rule: SizeRule, image_px: Px) -> Px:
    """Scale so that both sides are at most base; round to multiples, down if the result is above base.

    Source: as _lower_bound
    """
    scale = min(_scales(rule, image_px))
    height, width = (
        _nearest(scale * side, rule.multiple_px, at_most=base)
        for side, base in zip(image_px, rule.base_px, strict=True)
    )
    return height, width


def _minimal(rule: SizeRule, image_px: Px) -> Px:
    """Scale so that one side is about base: by the scale that is nearer to 1; round to multiples.

    Source: as _lower_bound; ZoeDepth, zoedepth/models/base_models/midas.py (Resize)
    """
    by_height, by_width = _scales(rule, image_px)
    scale = by_width if abs(1 - by_width) < abs(1 - by_height) else by_height
    return _nearest(scale * image_px[0], rule.multiple_px), _nearest(scale * image_px[1], rule.multiple_px)


def _stretch(rule: SizeRule, image_px: Px) -> Px:
    """Fill the input; the aspect is not kept.

    Source: MiDaS, midas/model_loader.py (keep_aspect_ratio False for Swin); LiheYoung/Depth-Anything, metric_depth,
    zoedepth/models/base_models/depth_anything.py (Resize)
    """
    return rule.base_px


def _letterbox(rule: SizeRule, image_px: Px) -> Px:
    """Fit inside base; sides are rounded to the multiple as upstream does, so an image of its aspect fills it."""
    scale = min(_scales(rule, image_px))
    height, width = (
        min(base, max(rule.multiple_px, _nearest(scale * side, rule.multiple_px)))
        for side, base in zip(image_px, rule.base_px, strict=True)
    )
    return height, width


def _longest_floor(rule: SizeRule, image_px: Px) -> Px:
    """Scale so that the image just fits inside base; round the other side down to whole pixels.

    Source: diffusers, pipelines/marigold/marigold_image_processing.py (resize_to_max_edge)
    """
    (height, width), (base_h, base_w) = image_px, rule.base_px
    if height * base_w >= width * base_h:
        return base_h, width * base_h // height
    return height * base_w // width, base_w


def _longest_nearest(rule: SizeRule, image_px: Px) -> Px:
    """Scale so that the image just fits inside base, round, and then round each side to a multiple, ties up.

    Source: Depth-Anything-3, src/depth_anything_3/utils/io/input_processor.py (_make_divisible_by_resize)
    """
    height, width = scaled_into(rule.base_px, image_px)
    multiple = rule.multiple_px
    return ((2 * height + multiple) // (2 * multiple) * multiple, (2 * width + multiple) // (2 * multiple) * multiple)


def _scales(rule: SizeRule, image_px: Px) -> tuple[float, float]:
    """Return the scales that bring height and width to base."""
    return rule.base_px[0] / image_px[0], rule.base_px[1] / image_px[1]


def _nearest(side: float, multiple: int, *, at_least: int = 0, at_most: float = math.inf) -> int:
    """Round to a multiple, half to even; up if the result is below at_least, down if it is above at_most."""
    rounded = round(side / multiple) * multiple
    if rounded > at_most:
        rounded = math.floor(side / multiple) * multiple
    return rounded if rounded >= at_least else math.ceil(side / multiple) * multiple


def _up(side: int, multiple: int) -> int:
    """Round up to a multiple."""
    return -(-side // multiple) * multiple


_CONTENT: dict[Rule, Callable[[SizeRule, Px], Px]] = {
    "lower_bound": _lower_bound,
    "upper_bound": _upper_bound,
    "minimal": _minimal,
    "square": _stretch,
    "stretch": _stretch,
    "letterbox": _letterbox,
    "longest_floor": _longest_floor,
    "longest_nearest": _longest_nearest,
}

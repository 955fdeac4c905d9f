from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from official_images import da3_sizes, marigold_size, midas_size, zoe_margins

from depthrt.engine.errors import InputError
from depthrt.engine.images.fit import Fit, fit_image, scaled_into, zoe_margin
from depthrt.engine.modelfile.size_rule import Rule, SizeRule

LOWER_BOUND = SizeRule((518, 518), 14, "lower_bound")
MARIGOLD = SizeRule((768, 768), 8, "longest_floor", pad="edge_end")
DA3 = SizeRule((504, 504), 14, "longest_nearest")


def many_sizes() -> Iterator[tuple[int, int]]:
    """Yield small sizes, those around round ones, and 1500 random ones of any aspect."""
    yield from ((height, width) for height in (1, 2, 3, 5, 8, 21) for width in (1, 2, 4, 7, 19, 40))
    near = [side + step for side in (32, 256, 384, 504, 518, 768, 1024) for step in (-1, 0, 1)]
    yield from ((height, width) for height in near for width in near)
    rng = np.random.default_rng(19)
    for height, width in np.exp(rng.uniform(0, np.log(12_000), (1500, 2))).astype(int):
        yield int(height), int(width)


SIZES = list(many_sizes())


def content_px(rule: SizeRule, image_px: tuple[int, int]) -> tuple[int, int]:
    """Return the content's size; (0, 0) if the rule refuses the image."""
    try:
        return fit_image(rule, image_px).content_px
    except InputError:
        return (0, 0)


def whole(size_px: tuple[int, int]) -> tuple[int, int]:
    """Return a size, or (0, 0) if a side of it is 0."""
    return size_px if min(size_px) > 0 else (0, 0)


@pytest.mark.parametrize(
    ("image_px", "input_px"),
    [
        ((480, 640), (518, 686)),
        ((768, 1024), (518, 686)),
        ((1080, 1920), (518, 924)),
        ((375, 1242), (518, 1722)),
        ((640, 480), (686, 518)),
        ((518, 518), (518, 518)),
        ((1, 1), (518, 518)),
    ],
)
def test_depth_anythings_rule_gives_the_official_size(image_px: tuple[int, int], input_px: tuple[int, int]) -> None:
    assert fit_image(LOWER_BOUND, image_px) == Fit(input_px, input_px)


@pytest.mark.parametrize(
    ("rule", "base_px", "multiple_px"),
    [
        ("lower_bound", (518, 518), 14),
        ("upper_bound", (256, 256), 32),
        ("lower_bound", (520, 401), 14),
        ("upper_bound", (250, 300), 32),
        ("minimal", (384, 384), 32),
        ("minimal", (512, 512), 32),
        ("minimal", (384, 768), 32),
    ],
)
def test_the_rules_of_midas_give_upstreams_size(rule: Rule, base_px: tuple[int, int], multiple_px: int) -> None:
    size = SizeRule(base_px, multiple_px, rule)
    found = [content_px(size, image_px) for image_px in SIZES]
    assert found == [whole(midas_size(rule, base_px, multiple_px, image_px)) for image_px in SIZES]


def test_zoedepths_rule_gives_upstreams_size_of_the_image_with_its_margin() -> None:
    rule = SizeRule((384, 512), 32, "minimal", margin="zoe")
    for height, width in SIZES:
        rows, columns = zoe_margins((height, width))
        expected = whole(midas_size("minimal", (384, 512), 32, (height + 2 * rows, width + 2 * columns)))
        if min(expected) > 0:
            fit = fit_image(rule, (height, width))
            assert (fit.input_px, fit.content_px, fit.margin_px) == (expected, expected, (rows, columns))
            assert fit.framed_px((height, width)) == (height + 2 * rows, width + 2 * columns)
    assert zoe_margin(480) == 46


def test_marigolds_rule_gives_upstreams_size_and_pads_at_the_end_to_multiples() -> None:
    for image_px in SIZES:
        expected = whole(marigold_size(768, image_px))
        assert content_px(MARIGOLD, image_px) == expected
        if min(expected) > 0:
            fit = fit_image(MARIGOLD, image_px)
            assert fit.offset_px == (0, 0)
            assert fit.input_px == tuple(side + -side % 8 for side in expected)


def test_depth_anything_3s_rule_gives_upstreams_sizes_of_both_steps() -> None:
    for image_px in SIZES:
        first, second = da3_sizes(504, image_px)
        assert scaled_into((504, 504), image_px) == first
        assert content_px(DA3, image_px) == whole(second)


def test_a_side_between_two_multiples_is_rounded_up_by_depth_anything_3_and_to_the_even_one_by_midas() -> None:
    assert fit_image(DA3, (504, 49)).content_px == (504, 56)
    assert fit_image(DA3, (504, 35)).content_px == (504, 42)
    assert fit_image(SizeRule((384, 384), 32, "minimal"), (384, 80)).content_px == (384, 64)


@pytest.mark.parametrize("image_px", [(480, 640), (1, 9000), (384, 384)])
def test_a_network_that_leaves_the_aspect_gets_its_base_whatever_the_aspect(image_px: tuple[int, int]) -> None:
    assert fit_image(SizeRule((384, 384), 32, "square"), image_px) == Fit((384, 384), (384, 384))
    assert fit_image(SizeRule((392, 518), 14, "stretch"), image_px) == Fit((392, 518), (392, 518))


@pytest.mark.parametrize("image_px", [(100, 900), (900, 100), (300, 301), (7, 3), (1, 5)])
def test_a_static_graph_keeps_the_aspect_and_centres_the_image_on_the_grid(image_px: tuple[int, int]) -> None:
    fit = fit_image(SizeRule((252, 336), 14, "letterbox"), image_px)
    (height, width), (top, left) = fit.content_px, fit.offset_px
    assert fit.input_px == (252, 336)
    assert top + height <= 252 and left + width <= 336
    assert all(value % 14 == 0 for value in (height, width, top, left))
    scale = min(252 / image_px[0], 336 / image_px[1])
    assert abs(height - scale * image_px[0]) <= 14 and abs(width - scale * image_px[1]) <= 14


@pytest.mark.parametrize(
    ("rule", "image_px", "found"),
    [
        (SizeRule((384, 384), 32, "minimal"), (10, 4000), "10x4000 px (HxW), .* minimal of 384x384, .* 0x384 px"),
        (SizeRule((256, 256), 32, "upper_bound"), (1000, 50), "1000x50 px (HxW), .* upper_bound of 256x256, .* 256x0"),
        (MARIGOLD, (1, 800), "1x800 px (HxW), .* longest_floor of 768x768, .* 0x768"),
        (DA3, (6, 504), "6x504 px (HxW), .* longest_nearest of 504x504, .* 0x504"),
    ],
)
def test_an_image_too_narrow_for_its_rule_is_one_line_that_names_both_sizes(
    rule: SizeRule, image_px: tuple[int, int], found: str
) -> None:
    with pytest.raises(InputError, match=found.replace("(", r"\(").replace(")", r"\)") + ".*; crop the image"):
        fit_image(rule, image_px)

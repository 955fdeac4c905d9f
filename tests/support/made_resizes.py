"""Contracts with resizes that kernels compute, and with others that only the CPU computes."""

from __future__ import annotations

from dataclasses import replace

from depthrt.engine.modelfile.contract import Contract, FinalResize, InputResize
from depthrt.engine.modelfile.size_rule import Margin, Pad, Rule, SizeRule

WITH_KERNELS: tuple[tuple[InputResize, Margin, FinalResize], ...] = (
    ("cubic", "none", "bilinear_corners"),
    ("cubic", "none", "bilinear_centres"),
    ("cubic", "none", "bicubic"),
    ("bilinear_corners", "none", "bilinear_corners"),
    ("bilinear_corners", "none", "bilinear_centres"),
    ("bilinear_corners", "none", "bicubic"),
    ("bilinear_corners", "zoe", "bicubic"),
)
# With the words that name what has no kernel.
WITHOUT_KERNELS: tuple[tuple[InputResize, Pad, Margin, FinalResize, str], ...] = (
    ("bilinear_antialias", "mirror", "none", "bilinear_corners", "input_resize bilinear_antialias"),
    ("area_uint8", "mirror", "none", "bicubic", "input_resize area_uint8"),
    ("cubic", "edge_end", "none", "bilinear_centres", "size.pad edge_end"),
    ("bilinear_antialias", "edge_end", "none", "bicubic", "input_resize bilinear_antialias and size.pad edge_end"),
    ("cubic_uint8", "mirror", "none", "bicubic", "input_resize cubic_uint8"),
    ("cubic", "mirror", "zoe", "bicubic", "input_resize cubic with size.margin zoe"),
    ("bilinear_corners", "mirror", "zoe", "bilinear_centres", "final_resize bilinear_centres with size.margin zoe"),
)


def with_kernels(contract: Contract, rule: SizeRule) -> list[Contract]:
    """Return the contract with a size rule and each combination of resizes that kernels compute."""
    return [
        replace(contract, size=replace(rule, margin=margin), input_resize=image, final_resize=depth)
        for image, margin, depth in WITH_KERNELS
    ]


def without_kernels(contract: Contract, base_px: int, multiple_px: int) -> list[tuple[Contract, str]]:
    """Return contracts of dynamic graphs with resizes that no kernel computes, each with the words that name them."""
    made = []
    for image, pad, margin, depth, words in WITHOUT_KERNELS:
        rule: Rule = "longest_floor" if pad == "edge_end" else "minimal"
        size = SizeRule((base_px, base_px), multiple_px, rule, pad, margin)
        made.append((replace(contract, size=size, input_resize=image, final_resize=depth), words))
    return made

from __future__ import annotations

import pytest

from depthrt import InputError
from depthrt.engine.modelfile.size_rule import SizeRule, in_px
from depthrt.engine.system.records import check_record


@pytest.mark.parametrize(
    "rule",
    [
        SizeRule((518, 518), 14, "lower_bound"),
        SizeRule((252, 336), 14, "letterbox"),
        SizeRule((384, 512), 32, "minimal", margin="zoe"),
        SizeRule((384, 512), 32, "letterbox", margin="zoe"),
        SizeRule((256, 256), 32, "upper_bound"),
        SizeRule((384, 384), 32, "square"),
        SizeRule((392, 518), 14, "stretch"),
        SizeRule((768, 768), 8, "longest_floor", "edge_end"),
        SizeRule((504, 504), 14, "longest_nearest"),
    ],
)
def test_the_rules_of_every_family_are_right_in_themselves(rule: SizeRule) -> None:
    check_record(rule, name="size", remedy="mend it", failure=InputError)
    assert rule.static == (rule.rule in ("letterbox", "square", "stretch"))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (SizeRule((518, 520), 14, "lower_bound"), r"size\.base_px is 518x520, expected multiples of multiple_px, 14"),
        (SizeRule((384, 512), 32, "square"), r"size\.base_px is 384x512, expected equal sides for rule square"),
        (SizeRule((504, 518), 14, "longest_nearest"), r"base_px is 504x518, expected equal sides for rule longest_n"),
        (SizeRule((256, 256), 8, "letterbox", "edge_end"), r"size\.pad is edge_end, expected mirror for rule letter"),
        (SizeRule((256, 256), 8, "square", "edge_end"), r"size\.pad is edge_end, expected mirror for rule square"),
        (SizeRule((768, 768), 8, "longest_floor", "edge_end", "zoe"), r"size\.margin is zoe, expected none for pad"),
        (SizeRule((768, 768), 8, "longest_floor", "round"), r"size\.pad is 'round', expected one of mirror, edge_end"),  # type: ignore[arg-type]
        (SizeRule((768, 768), 8, "tallest"), r"size\.rule is 'tallest', expected one of lower_bound, letterbox"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_a_rule_that_contradicts_itself_is_one_line(rule: SizeRule, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_record(rule, name="size", remedy="mend it", failure=InputError)


def test_sizes_are_written_height_first() -> None:
    assert in_px((518, 686)) == "518x686"

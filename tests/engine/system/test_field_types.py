from __future__ import annotations

from collections.abc import Callable

import pytest

from depthrt.engine.system.field_types import Length, Limit, Pattern, Range, Text, printable


@pytest.mark.parametrize(
    ("limit", "taken", "refused", "words"),
    [
        (Range(1), [1, 10**9], [0, -1], "of 1 or more"),
        (Range(0.5, 2), [0.5, 2], [0.49, 2.01], "from 0.5 to 2"),
        (Range(1, 1 << 20), [1 << 20], [(1 << 20) + 1], "from 1 to 1048576"),
        (Text(1, 3), ["a", "é 京", " "], ["", "abcd", "a\n", "\x7f", "\x9b", "\u2029", "\u202e", "\udfff"], None),
        (Pattern("[ab]+", "of a and b"), ["abba"], ["", "abc", "ab\n"], "of a and b"),
        (Length(1, 2), [(1,), (1, 2)], [(), (1, 2, 3)], "of 1 to 2 entries"),
    ],
)
def test_a_limit_takes_what_is_within_and_says_what_that_is(
    limit: Limit, taken: list[object], refused: list[object], words: str | None
) -> None:
    assert all(map(limit.accepts, taken)) and not any(map(limit.accepts, refused))
    assert words is None or limit.words == words


@pytest.mark.parametrize("text", ["a\nb", "\x1b[2J", "two  words", "\ud800", "x" * 300, "\u202e", "plain ünï"])
def test_printable_text_is_what_a_record_takes(text: str) -> None:
    takes: Callable[[object], bool] = Text(0, 255).accepts
    assert takes(printable(text, 255))


def test_printable_text_stays_and_the_rest_is_in_one_line() -> None:
    assert printable("größer als gedacht") == "größer als gedacht"
    assert printable("a\n\tb\x1b[2J") == "a b?[2J"
    assert printable("x" * 10, 10) == "x" * 10
    assert printable("x" * 11, 10) == "xxxxxxx..."

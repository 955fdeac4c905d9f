from __future__ import annotations

import pytest

from depthrt.engine.system.wrong_value import shown_key, shown_value


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (-5, "-5"),
        (10**400, "a whole number of 1329 bits"),
        (0.5, "0.5"),
        ("a\nb", r"'a\nb'"),
        ("\u202eé", r"'\u202e\xe9'"),
        ("A" * 99, f"'{'A' * 39}..."),
        ([1, 2], "a list of 2"),
        ((), "a list of 0"),
        ({"a": 1}, "an object"),
        (b"bytes", "bytes"),
    ],
)
def test_a_wrong_value_is_one_short_line(found: object, shown: str) -> None:
    assert shown_value(found) == shown


@pytest.mark.parametrize(
    ("key", "shown"), [("pad", "pad"), ("", "''"), ("x\n", r"'x\n'"), ("k" * 99, f"'{'k' * 39}...")]
)
def test_an_unknown_key_is_a_part_of_a_path(key: str, shown: str) -> None:
    assert shown_key(key) == shown

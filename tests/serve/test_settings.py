"""Settings that make no sense are refused in one line."""

from __future__ import annotations

from typing import Any

import pytest
from refusal import refusal

from depthrt.serve.settings import Settings


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"models": {}}, "no model found"),
        ({"models": {"Über": "default"}}, "found as the name of a model, expected up to 64 of a-z"),
        ({"models": {"a" * 65: "default"}}, "as the name of a model"),
        ({"models": {"../x": "default"}}, "as the name of a model"),
        ({"api_key": "short"}, "expected 16 ASCII characters or more"),
        ({"workers": 0}, "workers 0 found, expected a number above 0"),
        ({"waiting": -1}, "waiting -1 found, expected a number of 0 or more"),
        ({"timeout_s": float("nan")}, "timeout_s nan found"),
        ({"max_body_mib": float("inf")}, "max_body_mib inf found"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any], message: str) -> None:
    assert message in refusal(lambda: Settings(**wrong))


def test_the_key_is_not_shown() -> None:
    assert "secret" not in repr(Settings(api_key="secret-secret-secret"))


def test_a_body_of_the_largest_size_fits_into_the_memory_of_all() -> None:
    assert Settings(max_body_mib=8, bodies_mib=1).bodies_bytes == 8 * 2**20

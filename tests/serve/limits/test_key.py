"""Only who knows the key gets in."""

from __future__ import annotations

import pytest

from depthrt.serve.limits.key import check_key
from depthrt.serve.refusal import Refusal

KEY = "0123456789abcdef"


@pytest.mark.parametrize(
    "headers", [{"authorization": f"Bearer {KEY}"}, {"authorization": f"bearer  {KEY} "}, {"x-api-key": KEY}]
)
def test_the_key_opens(headers: dict[str, str]) -> None:
    check_key(headers, KEY)


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": KEY}, {"authorization": f"Basic {KEY}"}, {"x-api-key": KEY[:-1]}, {"x-api-key": "é"}],
)  # fmt: skip
def test_anything_else_does_not(headers: dict[str, str]) -> None:
    with pytest.raises(Refusal) as caught:
        check_key(headers, KEY)
    assert caught.value.status == 401 and KEY not in caught.value.message


def test_without_a_key_everybody_gets_in() -> None:
    check_key({}, None)

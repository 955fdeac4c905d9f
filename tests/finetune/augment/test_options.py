"""Kinds are read with their parts, and what is no kind is refused."""

from __future__ import annotations

import pytest

from depthrt import InputError
from depthrt.finetune.augment.options import Options, read_kinds


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("mirror,art,negative", (1 / 3, 1 / 3, 1 / 3)),
        ("art", (0, 1, 0)),
        (" negative=3, mirror=1", (0.25, 0, 0.75)),
        ("mirror=2,art=5,negative=3", (0.2, 0.5, 0.3)),
    ],
)
def test_kinds_have_their_share(text: str, shares: tuple[float, ...]) -> None:
    assert read_kinds(text) == pytest.approx(shares)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' found"),
        ("mirrors", "'mirrors' found"),
        ("art,art", "'art' found"),
        ("art=0", "share '0' of art found"),
        ("art=x", "share 'x' of art"),
        ("art=nan", "share 'nan'"),
        ("art=inf", "share 'inf'"),
    ],
)
def test_other_kinds_are_refused(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_kinds(text)


@pytest.mark.parametrize("wrong", [{"copies": 0}, {"seed": -1}, {"shares": (1.0, 1.0, 0.0)}, {"shares": (1.0,)}])
def test_wrong_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="found, expected"):
        Options(**wrong)  # type: ignore[arg-type]

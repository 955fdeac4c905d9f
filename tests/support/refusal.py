"""The error that a call ends with, as a user reads it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from depthrt.engine.errors import InputError


def refusal(call: Callable[[], object]) -> str:
    """Return the one line of the InputError that a call raises."""
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)

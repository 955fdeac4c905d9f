"""A library says errors only in the block, and talks as before after it."""

from __future__ import annotations

import logging
import warnings

import pytest

from depthrt.engine.system.process.quiet import errors_only


def test_a_library_reports_errors_only_and_talks_as_before_after_an_error(caplog: pytest.LogCaptureFixture) -> None:
    library = logging.getLogger("made.library")
    library.setLevel(logging.DEBUG)
    with pytest.raises(OSError, match="planted"), errors_only("made.library"):
        library.warning("about itself")
        library.error("a fault")
        warnings.warn("about itself", stacklevel=1)
        raise OSError("planted")
    assert [record.getMessage() for record in caplog.records] == ["a fault"] and library.level == logging.DEBUG
    library.setLevel(logging.NOTSET)

"""A request keeps the id of its client, unless that could harm a log or a header."""

from __future__ import annotations

from typing import Any

import pytest

from depthrt.serve.watch.request_record import begin_record, record_of


def test_the_record_stays_with_the_request() -> None:
    scope: dict[str, Any] = {"method": "GET"}
    record = begin_record(scope, {"x-request-id": "client-0001"})
    assert record_of(scope) is record and record.id == "client-0001"


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "line\r\nSet-Cookie: x", "<script>alert</script>"])
def test_a_strange_id_is_replaced(given: str) -> None:
    found = begin_record({"method": "GET"}, {"x-request-id": given}).id
    assert found != given and len(found) == 32 and found.isalnum()

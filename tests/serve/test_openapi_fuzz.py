"""Requests that schemathesis makes of the OpenAPI document, right and wrong, find no bug in the running service."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from depthrt.bench.load.server_process import ServerProcess

EXAMPLES = 12  # of each route and way of making them
HONEST = 503


@pytest.fixture(scope="session")
def api(process: ServerProcess) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"http://{process.host}:{process.port}/openapi.json")


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_no_request_finds_a_bug(case: schemathesis.Case) -> None:
    answer = case.call()
    if answer.status_code != HONEST:
        case.validate_response(answer)

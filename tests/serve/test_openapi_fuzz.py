"""Requests that schemathesis makes of the OpenAPI document, right and wrong, find no bug in the running service."""

from __future__ import annotations

from collections import Counter
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from depthrt.bench.load.server_process import ServerProcess

EXAMPLES = 12  # right ones, and as many wrong ones, of each route
SERVED = "metres"
HONEST = 503

each = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def test_no_request_finds_a_bug(process: ServerProcess) -> None:
    api = schemathesis.openapi.from_url(f"http://{process.host}:{process.port}/openapi.json")
    seen: Counter[int] = Counter()

    def ask(case: Case[Any]) -> None:
        # The document cannot say which names are served; without a right one, nothing gets past the name.
        if "name" in case.path_parameters:
            case.path_parameters["name"] = SERVED
        if "model" in case.query:
            case.query["model"] = SERVED
        answer = case.call()
        seen[answer.status_code] += 1
        if answer.status_code != HONEST:
            # Whether a right text is also an image, or goes with the model, the document cannot say either.
            case.validate_response(answer, excluded_checks=[positive_data_acceptance])

    def ask_for(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode) -> None:
        try:
            each(given(case=operation.as_strategy(generation_mode=mode))(ask))()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, "a route that takes nothing has no wrong requests"

    for found in api.get_all_operations():
        for mode in GenerationMode:
            assert isinstance(found, Ok), "the document is broken"
            ask_for(found.ok(), mode)
    assert seen[200] > EXAMPLES and seen[422] > EXAMPLES

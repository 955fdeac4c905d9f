"""Types of numbers in a report, with limits that pydantic checks when the report is read.

Records carry them as plain annotations, so that code which only makes records needs no pydantic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

# JSON has no such numbers, and drift is infinite if a model answers NaN.
_BY_NAME: Mapping[object, float] = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The least value of a number."""

    least: int

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> Mapping[str, Any]:
        """Return pydantic's schema of the number, with the limit."""
        return {**handler(source), "ge": self.least}


class _OrNotFinite:
    """A number that may be infinite or NaN, which JSON holds as text."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return pydantic's schema of the number or its name."""
        from pydantic_core import core_schema

        def read(found: object) -> object:
            return _BY_NAME.get(found, found) if isinstance(found, str) else found

        return core_schema.no_info_before_validator_function(read, core_schema.float_schema(allow_inf_nan=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the JSON Schema of the number or its name."""
        return {"anyOf": [{"type": "number"}, {"enum": sorted(map(str, _BY_NAME))}]}


Count = Annotated[int, AtLeast(0)]
Positive = Annotated[int, AtLeast(1)]
NotNegative = Annotated[float, AtLeast(0)]
Number = Annotated[float, _OrNotFinite()]

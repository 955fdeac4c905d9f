"""Limits of the numbers of a record: pydantic checks them, and the JSON Schema states them."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import dataclass
from typing import ClassVar

import pytest
from pydantic import TypeAdapter, ValidationError

from depthrt.bench.numbers.limits import Count, NotNegative, Number, Positive


@dataclass(frozen=True)
class Record:
    __pydantic_config__: ClassVar[dict[str, object]] = {
        "strict": True, "allow_inf_nan": False, "ser_json_inf_nan": "strings",
    }  # fmt: skip

    count: Count = 0
    positive: Positive = 1
    share: NotNegative = 0.0
    drift: Number = 0.0


TYPE = TypeAdapter(Record)


@pytest.mark.parametrize(
    ("field", "taken", "refused"),
    [
        ("count", ["0", "7"], ["-1", "1.5", "true", '"1"', "NaN"]),
        ("positive", ["1"], ["0", "-1", "1.0"]),
        ("share", ["0", "0.5", "3"], ["-1e-9", "NaN", "Infinity", '"Infinity"', "true"]),
        ("drift", ["-1.5", "2", '"NaN"', '"Infinity"', '"-Infinity"'], ['"nan"', '"inf"', '"1"', "true", "null"]),
    ],
)
def test_a_limit_takes_its_numbers_and_no_others(field: str, taken: list[str], refused: list[str]) -> None:
    for text in taken:
        TYPE.validate_json(f'{{"{field}": {text}}}')
    for text in refused:
        with pytest.raises(ValidationError):
            TYPE.validate_json(f'{{"{field}": {text}}}')


@pytest.mark.parametrize("value", [math.inf, -math.inf, 0.25])
def test_a_number_that_may_be_infinite_comes_back(value: float) -> None:
    assert TYPE.validate_json(TYPE.dump_json(Record(drift=value))).drift == value


def test_the_schema_states_the_limits() -> None:
    properties = TYPE.json_schema()["properties"]
    assert [properties[name].get("minimum") for name in ("count", "positive", "share")] == [0, 1, 0]
    assert properties["drift"]["anyOf"] == [{"type": "number"}, {"enum": ["-Infinity", "Infinity", "NaN"]}]


def test_records_need_no_pydantic() -> None:
    code = "import sys; sys.modules['pydantic'] = None; from depthrt.bench.numbers.result import Interval"
    subprocess.run([sys.executable, "-c", code], check=True)

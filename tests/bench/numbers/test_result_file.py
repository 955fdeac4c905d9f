"""Reports as JSON: a written report comes back, and a wrong value is refused in one line that names its field."""

from __future__ import annotations

import copy
import json
import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from made_report import BF16, EAGER, make_drift, make_report

from depthrt.bench.numbers.result import Report, SubjectResult
from depthrt.bench.numbers.result_file import SCHEMA_FILE, from_json, json_schema, read_result, report_type, to_json
from depthrt.engine.errors import BackendUnavailable, InputError

RESULTS = Path(__file__).resolve().parents[3] / "bench" / "results"  # of other programs too, without a schema
OLD = [path for path in sorted(RESULTS.glob("*.json")) if "schema" in json.loads(path.read_text(encoding="utf-8"))]
# Each is wrong for most fields; the schema decides for which.
WRONG: tuple[Any, ...] = (None, True, "text", "NaN", -1, 1.5, math.nan, math.inf, [], [1], {}, {"x": None})
Path_ = tuple[str | int, ...]  # keys and indices from the report on


@cache
def whole() -> Report:
    return make_report()


@cache
def small() -> str:
    """Return a report of one subject with every kind of record once, as JSON."""
    found = json.loads(to_json(make_report(only=(BF16,))))
    subject = found["subjects"][0]
    subject["latency"] = subject["latency"][-1:]
    subject["latency"][0]["samples_ms"] = [1.0]
    subject["accuracy"][0]["images"] = subject["accuracy"][0]["images"][:1]
    for lists in (subject, subject["drift"], subject["cold"]):
        for key, value in lists.items():
            if isinstance(value, list):
                lists[key] = value[:1]
    subject["cold"]["each"] = [
        {"process_ms": 1, "import_ms": 1, "load_ms": 1, "first_ms": 1, "second_ms": 1, "peak_rss_mib": 1, "vram_mib": 1}
    ]
    subject.update(speed={"value": 1, "low": 1, "high": 1}, speed_narrow=True, vram_mib=1.0, notes=["a note"])
    found["subjects"] = [subject]
    return json.dumps(found)


def fits(schema: dict[str, Any], found: Any, top: dict[str, Any]) -> bool:  # noqa: ANN401, PLR0911
    """Whether a value fits a JSON Schema, as far as the keywords that ours uses go."""
    if "$ref" in schema:
        return fits(top["$defs"][schema["$ref"].rsplit("/", maxsplit=1)[-1]], found, top)
    if "anyOf" in schema:
        return any(fits(one, found, top) for one in schema["anyOf"])
    if "enum" in schema:
        return found in schema["enum"]
    if "const" in schema:
        return bool(found == schema["const"])
    kinds: dict[str, Any] = {
        "string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None),
        "array": list, "object": dict,
    }  # fmt: skip
    if not isinstance(found, kinds[schema["type"]]) or (isinstance(found, bool) and schema["type"] != "boolean"):
        return False
    if isinstance(found, float) and not math.isfinite(found):
        return False  # JSON has no such numbers
    if found is not None and schema["type"] in ("integer", "number"):
        return bool(found >= schema.get("minimum", -math.inf))
    if schema["type"] == "array":
        return all(fits(schema["items"], one, top) for one in found)
    if schema["type"] == "object":
        known, others = schema.get("properties", {}), schema["additionalProperties"]
        names = schema.get("propertyNames", {"type": "string"})
        return set(schema.get("required", ())) <= found.keys() and all(
            fits(names, key, top)
            and (fits(known[key], value, top) if key in known else bool(others) and fits(others, value, top))
            for key, value in found.items()
        )
    return True


def fields_of(found: Any, path: Path_ = ()) -> Iterator[Path_]:  # noqa: ANN401
    """Yield the path of every value inside a JSON value."""
    items = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from fields_of(value, (*path, key))


def named(path: Path_) -> str:
    """Return a path as errors write it."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def replaced(path: Path_, value: Any) -> dict[str, Any]:  # noqa: ANN401
    found: dict[str, Any] = json.loads(small())
    place: Any = found
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = copy.deepcopy(value)
    return found


def test_json_gives_the_same_report_back() -> None:
    assert from_json(to_json(whole())) == whole()


def test_json_holds_drift_that_is_not_finite_as_text() -> None:
    drift = replace(make_drift(0.1), mean=math.inf, worst=-math.inf, p99=math.nan)
    report = replace(whole(), subjects=(SubjectResult("a", {}, drift=drift),))
    found = from_json(to_json(report)).subjects[0].drift
    assert found is not None
    assert (found.mean, found.worst, math.isnan(found.p99)) == (math.inf, -math.inf, True)
    json.loads(to_json(report), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_the_schema_file_is_that_of_the_records() -> None:
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == json_schema()


def test_every_value_that_the_schema_refuses_is_refused_in_one_line_that_names_its_field() -> None:
    schema, refused = json_schema(), 0
    paths = [path for path in fields_of(json.loads(small())) if path != ("schema",)]
    assert fits(schema, json.loads(small()), schema) and len(paths) > 100
    for path in paths:
        for value in WRONG:
            found = replaced(path, value)
            text = json.dumps(found)
            if fits(schema, found, schema):
                from_json(text)
                continue
            if isinstance(value, float) and not math.isfinite(value) and fits(schema, replaced(path, "NaN"), schema):
                continue  # Python's own spelling of what stands there as text
            refused += 1
            with pytest.raises(InputError) as caught:
                from_json(text)
            line = str(caught.value)
            assert line.startswith(named(path)) and "\n" not in line, (path, value, line)
    assert refused > 1000


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_old_reports_can_be_read(path: Path) -> None:
    report = read_result(path)
    assert report.subjects and from_json(to_json(report)) == report


def set_low(found: dict[str, Any]) -> None:
    found["subjects"][1]["latency"][0]["p50_ms"]["low"] = "fast"


def set_scope(found: dict[str, Any]) -> None:
    found["subjects"][0]["latency"][0]["scope"] = "gpu"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda found: found.update(schema=2), "schema 2 found, this depthrt reads schema 1; measure again"),
        (lambda found: found.pop("schema"), "no report of `depthrt bench` found: it is not a JSON object"),
        (lambda found: found.update(colour="red"), "colour is an unknown key"),
        (lambda found: found.update({"a\n\x1b[2J": 1}), r"a\n\x1b[2J is an unknown key"),
        (lambda found: found["subjects"][2].update(pace=1), "subjects[2].pace is an unknown key"),
        (lambda found: found["subjects"][0]["cold"].pop("load_ms"), "subjects[0].cold.load_ms is missing"),
        (set_low, "subjects[1].latency[0].p50_ms.low is 'fast', expected a valid number"),
        (set_scope, "subjects[0].latency[0].scope is 'gpu', expected 'kernel', 'host', 'file' or 'rate'"),
        (lambda found: found["machine"].update(cores=True), "machine.cores is True, expected a valid integer"),
        (lambda found: found["machine"].update(cores=-1), "machine.cores is -1, expected greater than or equal to 0"),
        (lambda found: found["made"].update(took_s=math.inf), "made.took_s is inf, expected a finite number"),
        (lambda found: found["made"]["versions"].update(numpy=2), "made.versions.numpy is 2, expected a valid string"),
        (lambda found: found.update(subjects={}), "subjects is {}, expected a valid array"),
        (lambda found: found.update(machine="x" * 100), f"machine is '{'x' * 59}, expected an object"),
        (lambda found: found["subjects"].append(found["subjects"][0]), f"subjects[5].name is '{EAGER}' a second time"),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_expected(spoil: Callable[[dict[str, Any]], Any], message: str) -> None:
    found = json.loads(to_json(whole()))
    spoil(found)
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        from_json(json.dumps(found))


@pytest.mark.parametrize("text", ["", "[]", "{", "3", "[" * 100_000, '{"schema":' * 100_000])
def test_text_that_is_not_a_report_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"report\.json: no (JSON|report)"):
        read_result(path)


def test_true_is_no_schema() -> None:
    with pytest.raises(InputError, match="schema True found, this depthrt reads schema 1"):
        from_json('{"schema": true}')


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_result(tmp_path / "none.json")


def test_keys_with_a_default_may_be_missing() -> None:
    found = json.loads(to_json(whole()))
    del found["warnings"], found["subjects"][0]["notes"], found["subjects"][0]["cold"]["each"]
    assert from_json(json.dumps(found)) == replace(whole(), warnings=())


def test_without_pydantic_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic", None)
    report_type.cache_clear()
    with pytest.raises(BackendUnavailable, match=r"pip install 'depthrt\[bench\]'"):
        to_json(whole())

"""Subjects of two names are compared: by pairs, by model file, by position."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from made_report import BF16, EAGER, FP32, INT8, make_report

from depthrt.bench.compare.compare import compare
from depthrt.bench.compare.match_names import match_names
from depthrt.bench.numbers.result import Report
from depthrt.engine.errors import InputError


@cache
def first() -> Report:
    return make_report()


def renamed(**names: str) -> Report:
    """Return a second run whose subjects have other names."""
    report, by_old = make_report(1), {EAGER: "eager", FP32: "new.onnx cpu", BF16: "new-bf16.onnx openvino"} | names
    subjects = tuple(replace(one, name=by_old.get(one.name, one.name)) for one in report.subjects)
    return replace(report, subjects=subjects, reference=by_old.get(report.reference, report.reference))


def test_pairs_of_names_are_compared_and_the_reference_with_them() -> None:
    alike = match_names(first(), renamed(), [f"{EAGER}=eager", f"{FP32}=new.onnx cpu"])
    assert [one.name for one in alike.subjects][:3] == ["eager", "new.onnx cpu", BF16]
    assert alike.reference == "eager"
    assert {one.drift.reference for one in alike.subjects if one.drift} == {"eager"}
    compared = compare(first(), renamed(), names=[f"{EAGER}=eager", f"{FP32}=new.onnx cpu"])
    assert {"eager", "new.onnx cpu", INT8} <= {change.subject for change in compared.changes}
    assert f"{BF16} is only in the first report" in compared.notes


def test_a_model_file_stands_for_all_its_subjects() -> None:
    old = FP32.split()[0]
    alike = match_names(first(), renamed(), [f"{old}=new.onnx"])
    assert "new.onnx cpu" in [one.name for one in alike.subjects]


def test_by_position_the_order_decides() -> None:
    compared = compare(first(), renamed(), by_position=True)
    assert {change.subject for change in compared.changes} >= {"eager", "new.onnx cpu", "new-bf16.onnx openvino"}
    fewer = replace(renamed(), subjects=renamed().subjects[1:])
    with pytest.raises(InputError, match="5 and 4 subjects found, expected as many in both reports for --by-position"):
        compare(first(), fewer, by_position=True)


def test_a_name_may_hold_an_equals_sign() -> None:
    odd = replace(first(), subjects=(replace(first().subjects[0], name="a=b.onnx cpu"),))
    other = replace(first(), subjects=(replace(first().subjects[0], name="c=d.onnx cpu"),))
    for pair in ("a=b.onnx cpu=c=d.onnx cpu", "a=b.onnx=c=d.onnx"):
        assert match_names(odd, other, [pair]).subjects[0].name == "c=d.onnx cpu"


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("vits.onnx", "--name 'vits.onnx' found, expected OLD=NEW"),
        ("none=eager", f"matches no subject of both reports; the first has {EAGER}, .* the second eager, "),
        (f"{EAGER}=none", "matches no subject of both reports"),
        (f"{FP32}={INT8}", f"two subjects of the first report would be {INT8}, expected one"),
    ],
)
def test_a_pair_that_matches_nothing_or_too_much_is_refused(pair: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare(first(), renamed(), names=[pair])


def test_without_pairs_nothing_changes() -> None:
    assert match_names(first(), renamed(), []) == first()
    with pytest.raises(InputError, match="give --name OLD=NEW, or --by-position"):
        compare(replace(first(), subjects=first().subjects[:1]), renamed())

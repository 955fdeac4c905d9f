from __future__ import annotations

import pytest

from depthrt import ContractError, InputError
from depthrt.engine.system.json_object import parse_object


def test_an_object_is_returned_as_json_reads_it() -> None:
    text = '{"a": [1, -2.5, null, true], "b": {"ü": "\\u00e9"}}'
    expected = {"a": [1, -2.5, None, True], "b": {"ü": "é"}}
    assert parse_object(text, name="it", remedy="mend it") == expected
    assert parse_object(text.encode(), name="it", remedy="mend it") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"it is not JSON \(Expecting value: line 1 column 1 \(char 0\)\)"),
        ("{'a': 1}", r"it is not JSON \(Expecting property name"),
        (b'{"a": "\xff"}', r"it is not JSON \('utf-8' codec can't decode"),
        ("[1, 2]", "it is not a JSON object"),
        ("null", "it is not a JSON object"),
        ('{"a": NaN}', r"it is not JSON \(NaN is not a JSON number\)"),
        ('{"a": -Infinity}', r"it is not JSON \(-Infinity is not a JSON number\)"),
        (f'{{"a": {"9" * 21}}}', r"it is not JSON \(an integer has 21 digits\)"),
        (f'{{"a": {"9" * 100_000}}}', r"it is not JSON \(an integer has 100000 digits\)"),
        ('{"a": 1, "b": 2, "a": 3}', r"it is not JSON \(a key stands twice in an object\)"),
        ('{"a": {"b": 1, "b": 1}}', r"it is not JSON \(a key stands twice in an object\)"),
        ("[" * 100_000, "it is JSON that is nested too deeply"),
        ('{"a":' * 100_000, "it is JSON that is nested too deeply"),
    ],
)
def test_anything_else_is_refused_in_one_line(text: str | bytes, message: str) -> None:
    with pytest.raises(ContractError, match=rf"^{message}.*; mend it$"):
        parse_object(text, name="it", remedy="mend it")
    with pytest.raises(InputError):
        parse_object(text, name="it", remedy="mend it", failure=InputError)


def test_the_longest_integer_is_read() -> None:
    assert parse_object(f'{{"a": {2**64 - 1}}}', name="it", remedy="mend it") == {"a": 2**64 - 1}

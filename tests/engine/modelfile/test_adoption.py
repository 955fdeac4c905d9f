from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from made import CONTRACT

from depthrt import ContractError
from depthrt.engine.modelfile.adoption import Adoption
from depthrt.engine.modelfile.contract import Contract

ADOPTION = Adoption("org/name@0123abc", CONTRACT.source_sha256, compared=True, drift=1e-6, notes=("it is doubtful",))
FOUND = asdict(ADOPTION)


def test_an_adoption_comes_back_and_has_a_key_only_where_it_is() -> None:
    adopted = replace(CONTRACT, adopted=ADOPTION)
    assert Contract.from_json(adopted.to_json()) == adopted
    assert Contract.from_json(CONTRACT.to_json()).adopted is None and "adopted" not in CONTRACT.to_json()


@pytest.mark.parametrize(
    ("adopted", "message"),
    [
        (None, r"contract\.adopted is null, expected an object; export the model again"),
        ({**FOUND, "sha256": "1" * 64}, r"contract\.adopted\.sha256 is 1{16}\.\.\., expected that of source_sha256"),
        ({**FOUND, "compared": False}, r"contract\.adopted\.drift is 1e-06, expected null where compared is false"),
        ({**FOUND, "drift": None}, r"contract\.adopted\.drift is null, expected a number where compared is true"),
        ({**FOUND, "notes": ["\x1b"]}, r"contract\.adopted\.notes\[0\] is '\\x1b', expected text"),
        ({**FOUND, "surprise": 1}, r"contract\.adopted\.surprise is an unknown key"),
    ],
)
def test_a_wrong_adoption_is_refused_in_one_line(adopted: object, message: str) -> None:
    text = json.dumps({**json.loads(CONTRACT.to_json()), "adopted": adopted})
    with pytest.raises(ContractError, match=message):
        Contract.from_json(text)

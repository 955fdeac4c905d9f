"""Settings by name, and the draft of a seed."""

from __future__ import annotations

from random import Random

from depthrt.finetune.scenes.draft import Draft
from depthrt.finetune.scenes.settings.compose import SETTINGS


def test_a_draft_depends_on_its_seed_alone() -> None:
    drafts = []
    for _ in range(2):
        draft = Draft(Random("indoor 3"))
        SETTINGS["indoor"][0][0](draft)
        drafts.append(draft)
    assert drafts[0].solids == drafts[1].solids
    assert drafts[0].lights == drafts[1].lights

"""`depthrt fetch`: a published model is downloaded; and the options of verbs that take a model by its name."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ...exits import names_unwritten, one_line_errors
from ..params import NameType, PathType, Verb
from ..show.printing import print_result, say
from ..show.progress import downloads

GOES_ON = "what was received is kept, and the next call goes on with it"

accepting = click.option(
    "--accept-licence",
    is_flag=True,
    help="Accept the licence of the model, if it restricts the use. Needed once for each model.",
)


def fetch_options(verb: Verb) -> Verb:
    """Add --fetch and --accept-licence to a verb that takes a checkpoint."""
    fetching = click.option(
        "--fetch",
        "fetching",
        is_flag=True,
        help="Download the model that CHECKPOINT names, if it is not on this machine. Default: nothing is downloaded.",
    )
    return fetching(accepting(verb))


def locate(checkpoint: Path, *, fetching: bool, accepted: bool) -> Path:
    """Return the file or folder that a path or a model's name means; download it if that is asked for."""
    from ...export.download.fetch import locate as find

    with names_unwritten(GOES_ON), downloads() as on_bytes:
        return find(checkpoint, fetching=fetching, accept_licence=accepted, on_note=say, on_bytes=on_bytes)


@click.command()
@click.argument("name", type=NameType())
@click.option(
    "-o",
    "--output",
    "folder",
    type=PathType(),
    help="Folder to put it into. Default: the hub's cache (HF_HOME) for models of the hub, depthrt's for others.",
)
@accepting
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@one_line_errors
def fetch(name: str, folder: Path | None, accept_licence: bool, as_json: bool) -> None:
    """Download the published model NAME, and print where it lies; `depthrt models` lists the names.

    Every file is checked: against the hub's hash, or against that of the first download on this machine. What lies here
    already is not downloaded again. After Ctrl-C or a lost connection the next call goes on where the last one stopped.

    Models of the hub need the extra `hub`, and use its token, HF_HOME, HF_ENDPOINT and HF_HUB_OFFLINE.

    \b
    Example:
      depthrt fetch depth-anything-v2-vits
      depthrt fetch dpt_swin2_tiny_256 -o checkpoints/
    """
    from ...export.catalog import find_published
    from ...export.download.fetch import fetch as bring
    from ...export.licences import licence_of

    entry = find_published(name)
    with names_unwritten(GOES_ON), downloads() as on_bytes:
        path = bring(name, folder, accept_licence=accept_licence, on_note=say, on_bytes=on_bytes)
    licence = licence_of(entry)
    if as_json:
        found = {"name": entry.name, "path": str(path), "licence": licence.name, "licence_link": licence.link}
        print_result(json.dumps(found))
        return
    say(f"{entry.name} has the licence {licence}")
    print_result(path)

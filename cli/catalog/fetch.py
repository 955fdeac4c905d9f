"""`depthrt fetch`: a published model is downloaded; and the options of verbs that take a model by its name."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from ...engine.errors import InputError
from ...exits import names_unwritten, one_line_errors
from ..params import NameType, PathType, Verb
from ..show.models import show_repository
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
    "--file",
    "file",
    type=NameType(),
    help="ONNX file of the repository NAME, by its path or its name. Default: they are listed, and none is downloaded.",
)
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
def fetch(name: str, file: str | None, folder: Path | None, accept_licence: bool, as_json: bool) -> None:
    """Download the published model NAME, and print where it lies; `depthrt models` lists the names.

    NAME can also be any repository of the hub that holds ONNX files, ORG/NAME: they are listed, and --file downloads
    one, with the weights and the JSON files beside it, for `depthrt adopt`.

    Every file is checked: against the hub's hash, or against that of the first download on this machine. What lies here
    already is not downloaded again. After Ctrl-C or a lost connection the next call goes on where the last one stopped.

    Models of the hub need the extra `hub`, and use its token, HF_HOME, HF_ENDPOINT and HF_HUB_OFFLINE.

    \b
    Example:
      depthrt fetch depth-anything-v2-vits
      depthrt fetch dpt_swin2_tiny_256 -o checkpoints/
      depthrt fetch onnx-community/depth-anything-v2-small --file onnx/model_fp16.onnx
    """
    from ...export.download.repository import repository_in

    repository = repository_in(name)
    if repository is not None:
        _fetch_onnx(repository, file, folder, accept_licence=accept_licence, as_json=as_json)
    elif file is not None:
        raise InputError(f"--file {file} found, {name} is a model of the catalog; leave it out, or give ORG/NAME")
    else:
        _fetch_published(name, folder, accept_licence=accept_licence, as_json=as_json)


def _fetch_published(name: str, folder: Path | None, *, accept_licence: bool, as_json: bool) -> None:
    """Download a model of the catalog."""
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


def _fetch_onnx(repository: str, file: str | None, folder: Path | None, *, accept_licence: bool, as_json: bool) -> None:
    """List the ONNX files of a repository, or download one."""
    from ...export.download.repository import fetch_onnx, list_onnx

    if file is None:
        show_repository(list_onnx(repository), as_json=as_json)
        return
    with names_unwritten(GOES_ON), downloads() as on_bytes:
        path = fetch_onnx(repository, file, folder, accept_licence=accept_licence, on_note=say, on_bytes=on_bytes)
    if as_json:
        print_result(json.dumps({"name": repository, "path": str(path)}))
        return
    say(f"Make a model file of it with: depthrt adopt {shlex.quote(str(path))} -o model.onnx")
    print_result(path)

"""`depthrt bench MODEL... --probes`: scores models on rendered scenes, each of which asks for one known failure."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from ...exits import names_unwritten, needs
from ..show.printing import print_result, print_table, say
from ..show.progress import titled

if TYPE_CHECKING:
    from ...bench.numbers.probes import ProbeReport
    from ...bench.run.request import BenchRequest
    from ...finetune.probes.run import Row

_ASKED = "depthrt.probes"  # key of the context
# Options of `bench measure` that probes take; another that is given is refused.
_TAKEN = {"models", "output", "as_json", "count", "devices", "threads", "family", "kind", "max_depth_m", "size"}
Handler = TypeVar("Handler", bound=Callable[..., Any])


def probes_option(handler: Handler) -> Handler:
    """Add the option --probes."""
    return click.option(
        "--probes",
        is_flag=True,
        expose_value=False,
        callback=_take,
        help="In place of speed, score the models on rendered scenes with exact depth, each of which asks for one "
        "known failure: thin stems, mirrors, clouds and others. Writes probes.html, probes.json and probes.png. "
        "--count sets the scenes of each probe. Default: 6.",
    )(handler)


def _take(context: click.Context, option: click.Parameter, asked: bool) -> None:
    context.meta[_ASKED] = asked


def asked_for_probes() -> bool:
    """Return whether the command that runs has --probes."""
    return bool(click.get_current_context().meta.get(_ASKED))


def run_probes(request: BenchRequest, *, as_json: bool) -> None:
    """Score models, print the table and write the files; exit with 1 if a model failed.

    Args:
        request: Of `bench measure`.
        as_json: Whether the JSON is printed in place of the table.
    """
    _refuse_others(click.get_current_context())
    with needs("finetune"):
        from ...bench.bench import check_files, checkpoint_options
        from ...bench.machine.describe import describe_machine, describe_run
        from ...finetune.probes.run import SCENES, probe_models
    check_files(request)
    files = _prepare(Path(request.output or "."))
    started, start_s = datetime.now(timezone.utc), monotonic()
    with names_unwritten(f"nothing was written into {request.output}"), titled() as on_step:
        probed = probe_models(
            request.models,
            count=request.count or SCENES,
            devices=request.devices or ("cpu",),
            threads=request.threads,
            checkpoint=checkpoint_options(request),
            on_step=on_step,
        )
    made = describe_run(request.command, probed.report.settings, started=started, took_s=monotonic() - start_s)
    report = replace(probed.report, machine=describe_machine(), made=made)
    _write(files, report, probed.rows)
    _show(report, as_json=as_json)
    say(f"probes: {', '.join(str(path) if at == 0 else path.name for at, path in enumerate(files.values()))}")
    sys.exit(1 if any(model.failure for model in report.models) else 0)


def _refuse_others(context: click.Context) -> None:
    """Raise a usage error if an option is given that has no meaning for probes."""
    given = {
        name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    } - _TAKEN
    names = [option.opts[-1] for option in context.command.params if option.name in given]
    if names:
        raise click.UsageError(f"--probes renders its own scenes and times nothing, so it takes no {', '.join(names)}.")


def _prepare(folder: Path) -> dict[str, Path]:
    """Make the folder, and return the files by suffix after a check that they can be written."""
    from ...engine.system.files import make_folder, try_place

    make_folder(folder)
    files = {suffix: folder / f"probes.{suffix}" for suffix in ("html", "json", "png")}
    for path in files.values():
        try_place(path)
    return files


def _write(files: Mapping[str, Path], report: ProbeReport, rows: Sequence[Row]) -> None:
    from ...bench.numbers.probes import write_probes
    from ...bench.report.probes_page import write_probes_page
    from ...finetune.probes.strip import write_strip

    write_probes(files["json"], report)
    write_strip(files["png"], report, rows)
    write_probes_page(files["html"], report, files["png"].read_bytes())


def _show(report: ProbeReport, *, as_json: bool) -> None:
    from ...bench.numbers.probes import to_json
    from ...bench.report.probes_page import probes_table

    for model in report.models:
        if model.failure:
            say(f"error: {model.name}: {model.failure}")
    if as_json:
        print_result(to_json(report), lines=True)
        return
    table = probes_table(report)
    print_table(table.columns, table.rows, title=table.title, note=table.note, words=table.words)

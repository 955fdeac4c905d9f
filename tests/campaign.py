"""Gives depthrt thousands of hostile inputs and counts what comes of them: python tests/campaign.py [--inputs 10000].

Each input is drawn from a seed, its kind and its number, so that --only KIND --first NUMBER --inputs 1 repeats it. A
worker process takes one input after the other; a watcher stops it after 20 s.

    python tests/campaign.py                     10,000 inputs
    python tests/campaign.py endurance           100,000 inferences over 8 threads and 2,000 loads: nothing grows
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent / "support"))

if TYPE_CHECKING:
    from hostile_inputs.trials import Kind

LONGEST_S = 20.0
MOST_MIB = 2048
WORKERS = 2
OUTCOMES = ("right", "refused", "traceback", "hang", "memory", "wrong", "unclear message")
FAULTS = OUTCOMES[2:]


def kinds() -> dict[str, type[Kind]]:
    """Return the kinds of hostile input."""
    from hostile_inputs.images import DamagedImages, TiffTags
    from hostile_inputs.models import DamagedCaches, DamagedEngines, DamagedModels
    from hostile_inputs.records import DamagedCheckpoints, DamagedDatasets, SpoiledRecords, SpoiledReports
    from hostile_inputs.videos import DamagedVideos

    found = (DamagedImages, TiffTags, DamagedVideos, DamagedModels, DamagedEngines, DamagedCheckpoints)
    return {kind.name: kind for kind in (*found, DamagedDatasets, SpoiledReports, SpoiledRecords, DamagedCaches)}


def try_input(kind: Kind, seed: int, number: int) -> tuple[str, str]:
    """Return the outcome of an input and a reason."""
    import zlib

    import numpy as np
    from hostile_inputs.trials import WrongAnswer

    from depthrt import DepthrtError

    how, made = kind.describe(np.random.default_rng([seed, zlib.crc32(kind.name.encode()), number]))
    try:
        return kind.answer(made), how
    except WrongAnswer as error:
        return "wrong", f"{how}: {error}"
    except DepthrtError as error:
        if not str(error).isprintable() or len(str(error)) > 2000:
            return "unclear message", f"{how}: {str(error)[:300]!r}"
        return "refused", f"{how}: {error}"
    except Exception:
        lines = traceback.format_exc().strip().splitlines()
        return "traceback", f"{how}: {lines[-1]} | {' / '.join(line.strip() for line in lines[-7:-1])}"


def work(name: str, folder: Path, seed: int) -> None:
    """Try the inputs whose numbers come on standard input; write an outcome, a reason and a peak of memory for each."""
    import logging
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    answers = os.fdopen(os.dup(1), "w")  # what libraries print goes elsewhere
    os.dup2(2, 1)
    own = Path(tempfile.mkdtemp(dir=folder))
    os.environ["DEPTHRT_CACHE"] = str(own / "cache")
    kind = kinds()[name](folder / name.replace(" ", "_"), own)
    answers.write('"ready"\n')
    answers.flush()
    for line in sys.stdin:
        _forget_peak()
        outcome, reason = try_input(kind, seed, int(line))
        peak_mib = _peak_mib()
        answers.write(json.dumps([outcome, reason, peak_mib]) + "\n")
        answers.flush()
    answers.close()
    shutil.rmtree(own, ignore_errors=True)


class Worker:
    """A process that tries inputs of one kind; it is started again after a hang or a crash."""

    def __init__(self, name: str, folder: Path, seed: int) -> None:
        self._command = [sys.executable, __file__, "work", name, str(folder), str(seed)]
        self._log = (folder / "worker.log").open("ab")
        self._start()

    def ask(self, number: int) -> tuple[str, str, float]:
        """Return the outcome of an input, a reason and the peak of memory in MiB."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        try:
            line = self._lines.get(timeout=LONGEST_S)
        except queue.Empty:
            self._process.kill()
            self._start()
            return "hang", f"no answer within {LONGEST_S:g} s", 0.0
        if not line:
            code = self._process.wait()
            self._start()
            return "traceback", f"the process ended with {code}", 0.0
        outcome, reason, peak_mib = json.loads(line)
        return ("memory" if peak_mib > MOST_MIB and outcome in OUTCOMES[:2] else outcome), reason, peak_mib

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._log.close()

    def _start(self) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=self._log, text=True)
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_pump, args=(self._process, self._lines), daemon=True).start()
        if json.loads(self._lines.get(timeout=300) or '""') != "ready":
            raise RuntimeError(f"a worker does not start: {Path(self._log.name).read_text()[-800:]}")


def _pump(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put("")


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def run_campaign(options: argparse.Namespace) -> int:
    """Try the inputs and print a table; return the number of faults."""
    found = kinds()
    chosen = {name: kind for name, kind in found.items() if not options.only or name in options.only}
    total_share = sum(kind.share for kind in chosen.values())
    folder = Path(tempfile.mkdtemp(prefix="campaign-"))
    table: dict[str, Counter[str]] = {}
    peaks: dict[str, float] = {}
    faults: list[dict[str, object]] = []
    jobs: queue.Queue[tuple[str, range]] = queue.Queue()
    for name, kind in chosen.items():
        home = folder / name.replace(" ", "_")
        home.mkdir()
        kind.prepare(home)
        count = round(options.inputs * kind.share / total_share)
        table[name], peaks[name] = Counter(), 0.0
        for number in range(WORKERS):
            jobs.put((name, range(options.first + number, options.first + count, WORKERS)))
    threads = [
        threading.Thread(target=_drain, args=(jobs, folder, options.seed, table, peaks, faults)) for _ in range(WORKERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(to_text(table, peaks))
    for fault in faults:
        print(f"{fault['outcome']}: {fault['kind']} {fault['number']}: {fault['reason']}"[: options.width])
    if options.output:
        Path(options.output).write_text(json.dumps({"table": table, "peaks_mib": peaks, "faults": faults}, indent=1))
    shutil.rmtree(folder, ignore_errors=True)
    return len(faults)


def _drain(
    jobs: queue.Queue[tuple[str, range]],
    folder: Path,
    seed: int,
    table: dict[str, Counter[str]],
    peaks: dict[str, float],
    faults: list[dict[str, object]],
) -> None:
    while True:
        try:
            name, numbers = jobs.get_nowait()
        except queue.Empty:
            return
        try:
            worker, start = Worker(name, folder, seed), time.monotonic()
        except RuntimeError as error:
            faults.append({"kind": name, "number": -1, "outcome": "hang", "reason": str(error)})
            continue
        for number in numbers:
            outcome, reason, peak_mib = worker.ask(number)
            table[name][outcome] += 1
            peaks[name] = max(peaks[name], peak_mib)
            if outcome in FAULTS:
                faults.append({"kind": name, "number": number, "outcome": outcome, "reason": reason})
        worker.close()
        print(f"{name}: {len(numbers)} inputs, {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


def to_text(table: dict[str, Counter[str]], peaks: dict[str, float]) -> str:
    """Return the table of outcomes as Markdown."""
    lines = ["| kind | inputs | " + " | ".join(OUTCOMES) + " | peak, MiB |", "|---" * (len(OUTCOMES) + 3) + "|"]
    total: Counter[str] = Counter()
    for name, counts in table.items():
        total.update(counts)
        cells = " | ".join(str(counts[outcome]) for outcome in OUTCOMES)
        lines.append(f"| {name} | {counts.total()} | {cells} | {peaks[name]:.0f} |")
    cells = " | ".join(str(total[outcome]) for outcome in OUTCOMES)
    return "\n".join([*lines, f"| all | {total.total()} | {cells} | {max(peaks.values()):.0f} |"])


def run_endurance(options: argparse.Namespace) -> int:
    """Run inferences over 8 threads, then loads; print what grew, and return 1 if anything did."""
    import gc
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np
    from hostile_inputs.models import DamagedModels

    import depthrt

    folder = Path(tempfile.mkdtemp(prefix="endurance-"))
    os.environ["DEPTHRT_CACHE"] = str(folder / "cache")
    DamagedModels.prepare(folder)
    path, image = folder / "tiny.onnx", np.zeros((96, 128, 3), np.uint8)

    def state() -> dict[str, float]:
        gc.collect()
        threads = len(list(Path("/proc/self/task").iterdir()))
        files = len(list(Path("/proc/self/fd").iterdir()))
        rss = int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024
        return {"memory, MiB": rss, "threads": threads, "files": files, "objects": len(gc.get_objects())}

    def report(title: str, before: dict[str, float], after: dict[str, float]) -> bool:
        grown = [name for name, most in _MOST_GROWTH.items() if after[name] - before[name] > most]
        changes = ", ".join(f"{name} {before[name]:.0f} -> {after[name]:.0f}" for name in before)
        print(f"{title}: {changes}: {'GREW: ' + ', '.join(grown) if grown else 'nothing grows'}", flush=True)
        return bool(grown)

    with depthrt.load(path, device="cpu", threads=1) as model, ThreadPoolExecutor(8) as pool:
        expected = model.infer(image).values

        def infer(count: int) -> int:
            return sum(np.array_equal(model.infer(image).values, expected) for _ in range(count))

        def infer_all(count: int) -> int:
            return sum(pool.map(infer, [count // 8] * 8))  # a future each inference would take memory of its own

        infer_all(options.inferences // 10)
        before = state()
        right, wanted = infer_all(options.inferences), options.inferences // 8 * 8
        failed = report(f"{right} of {wanted} inferences the same", before, state())
        failed |= right != wanted
    for _ in range(options.loads // 20):
        depthrt.load(path).close()
    before = state()
    for _ in range(options.loads):
        with depthrt.load(path, device="cpu") as model:
            model.infer(image)
    failed |= report(f"{options.loads} loads", before, state())
    shutil.rmtree(folder, ignore_errors=True)
    return int(failed)


_MOST_GROWTH = {"memory, MiB": 24, "threads": 0, "files": 0, "objects": 2000}


def main() -> None:
    """Run the campaign, the endurance run, or a worker."""
    if sys.argv[1:2] == ["work"]:
        work(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("inputs", "endurance"), default="inputs")
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first input of each kind")
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--only", action="append", help="a kind; may be given several times")
    parser.add_argument("--output", "-o", help="JSON of the table and of every fault")
    parser.add_argument("--width", type=int, default=400, help="letters of a fault that are printed")
    parser.add_argument("--inferences", type=int, default=100_000)
    parser.add_argument("--loads", type=int, default=2_000)
    options = parser.parse_args()
    raise SystemExit(min((run_endurance if options.what == "endurance" else run_campaign)(options), 1))


if __name__ == "__main__":
    main()

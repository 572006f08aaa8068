"""Do one job: `python -m genomics < job.json`, JSON lines on standard output.

    {"sandbox": {"network": false}}
    {"progress": {"records": 10000, "records_total": null, "bytes": 812340}}
    {"result": {...}}

The last line is a `result`, or an `error` with code, message, line and column, and for
an upload the list of its `faults`. Exit status: 0 done, 1 the input was refused, 2 the
job was not a job, 3 a limit was hit or a fault in this program. Nothing is written
about samples or genotypes.
"""

import dataclasses
import errno
import gc
import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import IO, NoReturn

from genomics import sandbox
from genomics.errors import BuildFailed, GenomicsError, IntakeRefused, JobInvalid
from genomics.job import Progress
from genomics.jsonfields import JSON

# Of each kind: where its job is defined and by what name, and what does it. All is
# loaded only when it is asked for, htslib once the sandbox is shut.
KINDS = {
    "subset": ("genomics.job", "SubsetJob", "genomics.pipeline"),
    "intake": ("genomics.job", "IntakeJob", "genomics.intake"),
    "removal": ("genomics.removal_job", "RemovalJob", "genomics.removal"),
    "part": ("genomics.part_job", "PartJob", "genomics.part_cut"),
    "join": ("genomics.part_job", "JoinJob", "genomics.join"),
}
# What a process that is started ahead of its job loads.
SPARE = ("genomics.pipeline", "genomics.sealing")
PROGRESS_EVERY_S = 0.5
GARBAGE_THRESHOLD = 100_000


def main(arguments: list[str]) -> int:
    """Confine the process, do the job on standard input, return the exit status."""
    out = _take_over_stdout()
    try:
        resources, parent, is_spare = _settings(arguments)
        is_isolated = sandbox.enter(resources, parent=parent)
        if is_spare:
            for module in SPARE:
                importlib.import_module(module)
        _write(out, {"sandbox": {"network": not is_isolated}})
        if is_spare and not _has_come():
            return 0
        _write(out, {"result": _work(sys.stdin.buffer, out)})
    except JobInvalid as error:
        return _fail(out, 2, "job", str(error))
    except IntakeRefused as error:
        faults: list[JSON] = [dataclasses.asdict(fault) for fault in error.faults]
        place = error.line, error.column
        return _fail(out, 1, error.code, error.message, *place, faults=faults)
    except BuildFailed as error:
        return _fail(out, 1, error.code, error.message, error.line)
    except GenomicsError as error:
        return _fail(out, 1, "refused", str(error))
    except MemoryError:
        return _fail(out, 3, "memory", "expected to stay below the memory limit")
    except OSError as error:
        return _fail(out, 3, "system", _say(error))
    except Exception as error:  # noqa: BLE001 - the last line must come in any case
        return _fail(out, 3, "fault", _say(error))
    return 0


def _take_over_stdout() -> IO[str]:
    # A library that prints would garble the protocol, so its output goes nowhere.
    out = os.fdopen(os.dup(1), "w", encoding="ascii")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    return out


def _settings(arguments: list[str]) -> tuple[sandbox.Resources, int | None, bool]:
    # `--resources JSON PARENT [--spare]`, as genomics.child gives it, or nothing.
    match arguments:
        case []:
            return sandbox.Resources(), None, False
        case ["--resources", text, parent, *rest] if (
            parent.isascii() and parent.isdigit() and rest in ([], [sandbox.SPARE])
        ):
            return sandbox.Resources.from_json(_parse(text)), int(parent), bool(rest)
    raise JobInvalid("expected no arguments, or --resources JSON PARENT [--spare]")


def _has_come() -> bool:
    # Sockets are loaded only where a job comes over one.
    return bool(importlib.import_module("genomics.waiting").wait_for_job())


def _parse(text: str) -> JSON:
    try:
        value: JSON = json.loads(
            text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise JobInvalid("expected one JSON value, could not parse it") from error
    return value


def _no_duplicates(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise JobInvalid("expected each key once in a JSON object")
    return value


def _no_constant(_: str) -> NoReturn:
    raise JobInvalid("expected finite numbers in the job")


def _work(stream: IO[bytes], out: IO[str]) -> JSON:
    try:
        value = _parse(stream.read().decode("utf-8"))
    except UnicodeDecodeError as error:
        raise JobInvalid("expected UTF-8 on standard input") from error
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise JobInvalid(f"expected a job whose kind is one of {sorted(KINDS)}")
    defined, name, doing = KINDS[kind]
    job = getattr(importlib.import_module(defined), name).from_json(value)
    module = importlib.import_module(doing)
    told = 0.0

    def sink(progress: Progress) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= PROGRESS_EVERY_S:
            told = now
            _write(out, {"progress": progress.to_json()})

    # Jobs make tuples by the million and hardly ever a cycle: looking for cycles takes
    # a sixth of the time of some of them.
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    result: JSON = module.run(job, sink).to_json()
    return result


def _write(out: IO[str], value: JSON) -> None:
    out.write(json.dumps(value, ensure_ascii=True) + "\n")
    out.flush()


def _fail(
    out: IO[str],
    status: int,
    code: str,
    message: str,
    line: int | None = None,
    column: int | None = None,
    *,
    faults: list[JSON] | None = None,
) -> int:
    error: dict[str, JSON] = {"code": code, "message": message, "line": line}
    error["column"] = column
    if faults is not None:
        error["faults"] = faults
    _write(out, {"error": error})
    return status


def _say(error: Exception) -> str:
    # Only the kind and the place: the text of an error may quote a sample or a path.
    if isinstance(error, OSError):
        # htslib's errors come without a number.
        name = errno.errorcode.get(error.errno or 0, "no reason")
        return f"expected the system to read and write as asked, got {name}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    file = Path(place.filename).name
    return f"unexpected {type(error).__name__} in {file}:{place.lineno}"


if __name__ == "__main__":
    status = main(sys.argv[1:])
    # All is written: to take all modules down in order costs 5 ms for nothing.
    os._exit(status)

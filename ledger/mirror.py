"""Keep a mirror of somebody's log: a full copy that only ever grows. No Django.

    python -m ledger.mirror pull --from DIR|URL --into DIR --policy FILE

For an institution that wants to be able to say what the log was: run it from a timer.
Each run fetches what is new, replays it behind what the mirror holds, and keeps it only
if it leads to a checkpoint that the policy accepts (`copying`). A mirror is itself a
place to read the log from.

Exit status: 0 the mirror holds the newest checkpoint, 1 what came does not hold, and
the mirror stays as it was, 2 nothing came.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ledger import copying, errors, served, sources
from ledger.copying import Copied
from ledger.sources import Source
from ledger.tlog import note
from ledger.tlog.policy import MAX_BYTES, Policy


def pull(source: Source, *, into: Path, policy: Policy) -> Copied:
    """Let the mirror in a folder grow to the checkpoint that the source has.

    Raises what `copying.extend` raises, and the errors of sources.
    """
    return copying.extend(
        into,
        signed=source.fetch(sources.CHECKPOINT, limit=note.MAX_BYTES),
        policy=policy,
        bundles=lambda start, size: served.bundles(source, start, size),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the status to exit with."""
    options = _parser().parse_args(arguments)
    try:
        policy, token = _policy(options), _token(options)
        with sources.at(options.source, token=token) as source:
            found = pull(source, into=options.into, policy=policy)
    except (errors.LedgerError, OSError) as error:
        return _refuse(error, is_json=options.json)
    size = found.cosigned.checkpoint.size
    if options.json:
        names = [each.name for each in found.cosigned.cosigners]
        told = {"ok": True, "size": size, "new": found.new, "cosigners": names}
        print(json.dumps(told))
    else:
        print(f"{options.into} holds {size} entries, {found.new} of them new")
    return 0


def _token(options: argparse.Namespace) -> str | None:
    if options.token_file is None:
        return None
    return sources.read_token(options.token_file)


def _policy(options: argparse.Namespace) -> Policy:
    with options.policy.open("rb") as file:
        return Policy.from_bytes(file.read(MAX_BYTES + 1))


def _refuse(error: Exception, *, is_json: bool) -> int:
    """Say what does not hold, or why nothing came; return the status."""
    is_false = isinstance(error, errors.VerificationError)
    if is_json:
        told = {"ok": False if is_false else None, "error": type(error).__name__}
        print(json.dumps({**told, "message": str(error)}))
    else:
        kept = "the mirror stays as it was" if is_false else "nothing came"
        # Names in a policy or a note may hold what a terminal acts upon.
        safe = str(error).encode("unicode_escape").decode()
        print(f"mirror: {kept}: {safe}", file=sys.stderr)
    return 1 if is_false else 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ledger.mirror",
        description="Keep a full copy of a log, and believe nothing that contradicts "
        "it.",
    )
    commands = parser.add_subparsers(required=True)
    help = "fetch what is new, check it, keep it"
    added = commands.add_parser("pull", help=help, description=help)
    added.add_argument(
        "--from",
        dest="source",
        required=True,
        metavar="DIR|URL",
        help="where the log is: a folder, or the address of a site's /ledger",
    )
    added.add_argument("--into", type=Path, required=True, metavar="DIR")
    added.add_argument("--policy", type=Path, required=True, metavar="FILE")
    added.add_argument("--token-file", type=Path, metavar="FILE")
    added.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Serve a witness: whoever asks may have a checkpoint cosigned that extends the last.

    python -m ledger.witness init DIR --name NAME --log VKEY
    python -m ledger.witness serve DIR --listen HOST:PORT

One small program without Django, for an institution that runs no Gemmule. What is
checked before a signature leaves is `cosigner`; what is served and how is `serving`.
Source: C2SP tlog-witness (https://c2sp.org/tlog-witness). docs/witness.md is for who
runs it.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ledger import cosigner, durable, errors, serving
from ledger.cosigner import Cosigner
from ledger.serving import Answer
from ledger.tlog.note import VerifierKey


def serve(folder: Path, *, listen: str) -> None:
    """Cosign what is submitted until SIGTERM; refuse to start with a lost memory."""
    witness = Cosigner(folder)
    with durable.held(cosigner.lock_file(folder)):
        witness.check()
        listener = serving.listen(listen)
        host, port = listener.getsockname()[:2]
        routes: serving.Routes = {
            "/": {"GET": lambda body: Answer(status=200, text=describe(witness))},
            "/add-checkpoint": {
                "POST": lambda body: Answer(
                    status=200, text=witness.add_checkpoint(body)
                )
            },
            "/last-note": {
                "POST": lambda body: Answer(status=200, text=witness.last_note(body))
            },
        }
        where = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        serving.serve(
            listener,
            routes,
            announce=lambda: print(
                f"{witness.verifier.name} listens on {where}", flush=True
            ),
        )


def describe(witness: Cosigner) -> str:
    """Return, for people, who it is and what it saw last."""
    lines = [
        f"Witness {witness.verifier.name}",
        f"Key {witness.verifier.text}",
        "It cosigns a checkpoint only after checking that it extends the last one.",
    ]
    for origin in sorted({key.name for key in witness.logs()}):
        lines += ["", f"Log {origin}", *_seen(witness, origin)]
    return "".join(f"{line}\n" for line in lines)


def policy_line(key: VerifierKey, url: str | None) -> str:
    """Return the line for the policy file of who relies on this witness."""
    return " ".join(["witness", key.name, key.text, *([url] if url else [])])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the status to exit with."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except BlockingIOError:
        print(f"witness: another process serves {options.folder}", file=sys.stderr)
        return 1
    except (errors.LedgerError, OSError, ValueError) as error:
        print(f"witness: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    match options.command:
        case "init":
            logs = [VerifierKey.from_text(text) for text in options.log]
            key = cosigner.init(options.folder, name=options.name, logs=logs)
            print(f"{key.text}\n{policy_line(key, options.url)}")
        case "serve":
            serve(options.folder, listen=options.listen)
        case "show":
            print(describe(Cosigner(options.folder)), end="")
        case "add-log":
            cosigner.add_log(options.folder, VerifierKey.from_text(options.log))
        case "remove-log":
            cosigner.remove_log(options.folder, VerifierKey.from_text(options.log))
        case "moved":
            with durable.held(cosigner.lock_file(options.folder)):
                for found in cosigner.moved(options.folder):
                    print(f"{found.origin}: {found.size} entries were cosigned last")


def _seen(witness: Cosigner, origin: str) -> list[str]:
    trusted = [f"trusts {key.text}" for key in witness.logs() if key.name == origin]
    try:
        last, when = witness.last(origin)
    except errors.NotaryRefused as error:
        return [*trusted, f"signs nothing: {error}"]
    if when is None:
        return [*trusted, "cosigned nothing so far"]
    return [
        *trusted,
        f"cosigned {last.size} entries at {when.isoformat()}",
        f"root {last.text.splitlines()[2]}",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ledger.witness",
        description="Cosign the checkpoints of a log, and never two histories of it.",
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, help: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help)
        added.add_argument("folder", type=Path, metavar="DIR")
        return added

    added = command("init", "make a witness; print its public key and a policy line")
    added.add_argument("--name", required=True, help="e.g. witness.example.org/w1")
    added.add_argument("--log", action="append", required=True, metavar="VKEY")
    added.add_argument("--url", help="where it will be reached, for the policy line")
    added = command("serve", "cosign what is submitted, until SIGTERM")
    added.add_argument("--listen", required=True, metavar="HOST:PORT")
    command("show", "print who it is and what it saw last")
    added = command("add-log", "trust one more key, of this or of another log")
    added.add_argument("--log", required=True, metavar="VKEY")
    added = command("remove-log", "trust a key no longer")
    added.add_argument("--log", required=True, metavar="VKEY")
    command("moved", "answer for a folder that was moved: nothing was signed meanwhile")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""The `gemmule` command: fetch what a Gemmule site hands out, and check it.

    gemmule verify receipt FILE --policy FILE [--opening FILE]
    gemmule verify ledger URL_OR_DIR --policy FILE [--token-file F] [--since FILE]
    gemmule verify donor-record FILE --policy FILE
    gemmule verify release [FILE] --manifest FILE --policy FILE [--receipt FILE]
                           [--secret-key FILE] [--dossier FILE]
    gemmule download RELEASE --server URL --token-file FILE [--into DIR]
                           [--secret-key FILE] [--decrypt] [--policy FILE]
    gemmule decrypt FILE --secret-key FILE [--passphrase-file FILE]

Exit status of verify: 0 it holds, 1 it does not, 2 nothing could be checked; of
decrypt: 0 decrypted, 1 the file does not open, 2 nothing was done; those of download
are in `gemmule.downloader.command`. No Django: what proves the house must not be the
house, and it starts in a fraction of a second.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Protocol

from gemmule.downloader import command
from gemmule.verifier import (
    decryption,
    dossiers,
    files,
    inputs,
    ledgers,
    manifests,
    receipts,
    records,
    refusals,
    releases,
    words,
)
from gemmule.verifier.errors import NothingChecked
from ledger import sources
from ledger.tlog import note, opening, receipt
from ledger.tlog.canonical import JSON

HOLDS, REFUSED, NOTHING_CHECKED = 0, 1, 2


class Holds(Protocol):
    """What a check that succeeded has to tell."""

    def lines(self) -> list[str]:
        """Return it in plain words."""
        ...

    def as_json(self) -> dict[str, JSON]:
        """Return it for machines."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = options.run
    return run(options)


def _verify(options: argparse.Namespace) -> int:
    subject: str = options.subject
    check: Callable[[argparse.Namespace], Holds] = options.check
    try:
        found = check(options)
    except refusals.EXPECTED as error:
        refusal = refusals.of(subject, error)
        if options.json:
            _print_json({"ok": refusal.ok, "kind": subject, **refusal.as_json()})
        else:
            print(refusal.words, file=sys.stderr)
        return REFUSED if refusal.ok is False else NOTHING_CHECKED
    if options.json:
        _print_json({"ok": True, "kind": subject, **found.as_json()})
    else:
        print("\n".join(found.lines()))
    return HOLDS


def _decrypt(options: argparse.Namespace) -> int:
    try:
        secret_key = _secret_key(options)
        decryption.decrypt(options.file, secret_key, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except refusals.EXPECTED as error:
        print(words.shown(f"{error}."), file=sys.stderr)
        has_failed = isinstance(error, decryption.DecryptionFailed)
        return REFUSED if has_failed else NOTHING_CHECKED
    except OSError as error:
        reason = error.strerror or type(error).__name__
        print(f"cannot write the decrypted content: {reason}.", file=sys.stderr)
        return NOTHING_CHECKED
    return HOLDS


class _Version(argparse.Action):
    """Print the version; out of a folder of sources there is none."""

    def __call__(self, parser: argparse.ArgumentParser, *unused: object) -> None:
        """End the command as argparse does."""
        try:
            version = metadata.version("gemmule")
        except metadata.PackageNotFoundError:
            version = "of a source folder"
        print(f"gemmule {version}")
        parser.exit()


def _print_json(value: dict[str, JSON]) -> None:
    # ASCII alone: no character of a file reaches a terminal as it is.
    print(json.dumps(value, ensure_ascii=True, sort_keys=True))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gemmule", description="fetch what a Gemmule site hands out, and check it"
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = commands.add_parser(
        "verify",
        help="check a receipt, a whole ledger, a donor's record or a release",
        description="Exit status: 0 it holds, 1 it does not, 2 nothing could be "
        "checked.",
    )
    verify.set_defaults(run=_verify)
    command.add_arguments(
        commands.add_parser(
            "download", help="fetch a release: every file, manifest and receipt"
        )
    )
    _add_decrypt(
        commands.add_parser(
            "decrypt",
            help="decrypt a Crypt4GH file with your secret key",
            description="Prints the decrypted content. Exit status: 0 decrypted, 1 the "
            "file does not open with this key or was changed, 2 nothing was done.",
        )
    )
    subjects = verify.add_subparsers(required=True, metavar="WHAT", dest="subject")
    _add_receipt(subjects.add_parser("receipt", help="one entry, by its .tlog-proof"))
    _add_ledger(subjects.add_parser("ledger", help="a whole ledger"))
    _add_record(subjects.add_parser("donor-record", help="all acts of one donor"))
    _add_release(subjects.add_parser("release", help="a file of a release"))
    return parser


def _add_decrypt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the encrypted file, NAME.c4gh")
    parser.add_argument(
        "--secret-key",
        type=Path,
        required=True,
        help="your secret key: Crypt4GH, OpenSSH (ed25519) or PEM (X25519, Ed25519)",
    )
    parser.add_argument(
        "--passphrase-file", type=Path, help="the passphrase of the secret key"
    )
    parser.set_defaults(run=_decrypt)


def _add_receipt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the receipt, NAME.tlog-proof")
    parser.add_argument("--opening", type=Path, help="what the entry says in detail")
    _add_common(parser, _check_receipt)


def _add_ledger(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("place", help="an address, http(s)://..., or a folder")
    parser.add_argument("--token-file", type=Path, help="an auditor's token")
    parser.add_argument(
        "--since", type=Path, help="a checkpoint kept from before: it must still hold"
    )
    _add_common(parser, _check_ledger)


def _add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the record, as it was downloaded")
    _add_common(parser, _check_record)


def _add_release(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        help="the encrypted file, NAME.c4gh; without it, manifest, receipt and "
        "dossier alone",
    )
    parser.add_argument(
        "--manifest", type=Path, required=True, help="the signed manifest, as it came"
    )
    parser.add_argument(
        "--receipt",
        type=Path,
        help="the receipt of the release; else the manifest's own name with "
        ".tlog-proof in place of .json, or the one in the dossier",
    )
    parser.add_argument(
        "--secret-key",
        type=Path,
        help="decrypt with this secret key (Crypt4GH, OpenSSH or PEM) and check the "
        "content",
    )
    parser.add_argument(
        "--passphrase-file", type=Path, help="the passphrase of the secret key"
    )
    parser.add_argument(
        "--dossier", type=Path, help="make the decision on every donor again"
    )
    _add_common(parser, _check_release)


def _add_common(
    parser: argparse.ArgumentParser, check: Callable[[argparse.Namespace], Holds]
) -> None:
    parser.add_argument(
        "--policy",
        type=Path,
        required=True,
        help="which log and witnesses are believed (C2SP tlog-policy)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(check=check)


def _check_receipt(options: argparse.Namespace) -> Holds:
    policy = inputs.read_policy(options.policy)
    data = inputs.read(options.file, limit=receipt.MAX_BYTES)
    opened = None
    if options.opening is not None:
        opened = inputs.read(options.opening, limit=opening.MAX_BYTES)
    return receipts.check(data, policy, opened=opened)


def _check_ledger(options: argparse.Namespace) -> Holds:
    policy = inputs.read_policy(options.policy)
    token = since = None
    if options.token_file is not None:
        token = sources.read_token(options.token_file)
    if options.since is not None:
        since = inputs.read(options.since, limit=note.MAX_BYTES)
    with sources.at(options.place, token=token) as source:
        return ledgers.check(source, policy, since=since)


def _check_record(options: argparse.Namespace) -> Holds:
    policy = inputs.read_policy(options.policy)
    return records.check(inputs.read(options.file, limit=records.MAX_BYTES), policy)


def _check_release(options: argparse.Namespace) -> Holds:
    policy = inputs.read_policy(options.policy)
    manifest = inputs.read(options.manifest, limit=manifests.MAX_BYTES)
    beside = options.manifest.with_suffix(".tlog-proof")
    given = options.receipt or (beside if beside.exists() else None)
    secret_key = dossier = None
    if options.secret_key is not None:
        if options.file is None:
            raise NothingChecked("--secret-key FILE opens a file: name that as well")
        secret_key = _secret_key(options)
    if options.dossier is not None:
        dossier = inputs.read(options.dossier, limit=dossiers.MAX_BYTES)
    return releases.check(
        options.file,
        manifest=manifest,
        receipt=None if given is None else inputs.read(given, limit=receipt.MAX_BYTES),
        policy=policy,
        secret_key=secret_key,
        dossier=dossier,
    )


def _secret_key(options: argparse.Namespace) -> bytes:
    passphrase = None
    if options.passphrase_file is not None:
        passphrase = inputs.read_line(options.passphrase_file)
    return files.read_secret_key(options.secret_key, passphrase)


if __name__ == "__main__":
    sys.exit(main())

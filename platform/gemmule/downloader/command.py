"""`gemmule download`: its options, what it tells, its exit status."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from gemmule.downloader import progress, releases
from gemmule.downloader.errors import DownloadError, InputInvalid, TryAgain
from gemmule.downloader.patience import Patience
from gemmule.downloader.site import Site
from gemmule.verifier import files, inputs, refusals
from gemmule.verifier.errors import NothingChecked
from ledger import sources
from ledger.errors import SourceInvalid

STATUSES = """\
exit status:
  0    the release is here, every file as the manifest names it
  1    something does not hold: a file, the manifest, the key, the receipt
  2    nothing was done: an option, a local file or the address cannot be used
  3    the site refuses (revoked, suspended, expired, wrong token) and says why
  4    not now: not ready, or the connection failed; the same command goes on
  130  stopped by hand; the same command goes on
"""
_DONE, _STOPPED = 0, 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = STATUSES
    parser.add_argument("release", help="the accession, GMR...")
    parser.add_argument(
        "--server", required=True, metavar="URL", help="the site, https://..."
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        required=True,
        metavar="FILE",
        help="a file with your token alone, as your account page gave it",
    )
    parser.add_argument(
        "--into", type=Path, default=Path(), metavar="DIR", help="default: here"
    )
    parser.add_argument(
        "--secret-key",
        type=Path,
        metavar="FILE",
        help="your secret key (Crypt4GH, OpenSSH or PEM): check the content as well",
    )
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="the passphrase of the secret key",
    )
    parser.add_argument(
        "--decrypt", action="store_true", help="write the opened files beside"
    )
    parser.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help="also check manifest and receipt, as `gemmule verify release` does",
    )
    parser.add_argument(
        "--retries",
        type=int,
        default=8,
        metavar="N",
        help="failures in a row to forgive, with longer and longer waits (default 8)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object a line"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Download; return the exit status."""
    shown = progress.chosen(as_json=options.json)
    try:
        found = releases.download(
            Site(options.server, sources.read_token(options.token_file)),
            _wanted(options),
            patience=Patience(options.retries, shown.say),
            progress=shown,
        )
    except KeyboardInterrupt:
        again = "Stopped. The same command goes on where it stopped."
        return _failed(options, again, "Stopped", _STOPPED)
    except DownloadError as error:
        again = ". The same command goes on where it stopped"
        said = f"{error}{again if isinstance(error, TryAgain) else ''}."
        return _failed(options, said, type(error).__name__, error.status)
    except (NothingChecked, SourceInvalid) as error:
        return _failed(options, f"{error}.", type(error).__name__, InputInvalid.status)
    except refusals.EXPECTED as error:
        refusal = refusals.of("release", error)
        status = InputInvalid.status if refusal.ok is None else 1
        return _failed(options, refusal.words, refusal.error, status)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        said = f"cannot use {error.filename or options.into}: {reason}."
        return _failed(options, said, "InputInvalid", InputInvalid.status)
    if options.json:
        _print_json({"ok": True, "kind": "download", **found.as_json()})
    else:
        print("\n".join(found.lines()))
    return _DONE


def _wanted(options: argparse.Namespace) -> releases.Wanted:
    if options.decrypt and options.secret_key is None:
        raise InputInvalid("--decrypt needs your secret key: --secret-key FILE")
    secret_key = policy = passphrase = None
    if options.passphrase_file is not None:
        passphrase = inputs.read_line(options.passphrase_file)
    if options.secret_key is not None:
        secret_key = files.read_secret_key(options.secret_key, passphrase)
    if options.policy is not None:
        policy = inputs.read_policy(options.policy)
    return releases.Wanted(
        release=options.release,
        folder=options.into,
        secret_key=secret_key,
        is_opened=options.decrypt,
        policy=policy,
    )


def _failed(options: argparse.Namespace, message: str, error: str, status: int) -> int:
    if options.json:
        told = {"ok": False, "kind": "download", "error": error, "status": status}
        _print_json({**told, "message": message})
    else:
        print(f"{message[:1].upper()}{message[1:]}", file=sys.stderr)
    return status


def _print_json(value: dict[str, Any]) -> None:
    # ASCII alone: no character of an answer reaches a terminal as it is.
    print(json.dumps(value, ensure_ascii=True, sort_keys=True), flush=True)

"""Sign a checkpoint only when it extends the one signed before. No Django.

    python -m ledger.notary init DIR --name ORIGIN
    python -m ledger.notary serve DIR --socket PATH [--group NAME]

What a notary remembers, and in which order, is `memory`. In the embedded default it
signs in the process of the site, with the keys that process reads. As a process of its
own under another user of the system, neither the site nor who administers its database
can read the keys or the memory; `notary_socket` asks it. Where checkpoints are stored
is left to `publishing`.
"""

import argparse
import copy
import grp
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from ledger import durable, errors, memory, serving, submission
from ledger.memory import Memory
from ledger.serving import Answer
from ledger.tlog import checkpoint, note
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import SignerKey, VerifierKey

_SEED_BYTES = 32
_KEYS, _MEMORY, _LOCK = "keys", "notary.checkpoint", "lock"


class Notary:
    """The keys of one log, two of them while one follows the other, and its memory."""

    def __init__(self, *, keys: Sequence[SignerKey], state_file: Path) -> None:
        assert keys, "a notary without a key signs nothing"
        self._keys = tuple(keys)
        self._memory = Memory(state_file, origin=keys[0].name)

    def with_keys(self, keys: Sequence[SignerKey]) -> "Notary":
        """Return a notary with the same memory that signs with other keys."""
        found = copy.copy(self)
        found._keys = tuple(keys)
        return found

    def verifiers(self) -> tuple[VerifierKey, ...]:
        """Return the public halves of the keys that sign."""
        return tuple(key.verifier for key in self._keys)

    def last_signed(self) -> Checkpoint:
        """Return the last signed checkpoint; of size 0 before the first."""
        return self._memory.last()

    def sign(
        self, new: Checkpoint, *, old_size: int, consistency: Sequence[bytes]
    ) -> bytes:
        """Return the note of `new`, signed by every key.

        `consistency` leads from the last signed checkpoint, of `old_size` leaves, to
        the new one; empty when that is size 0 or the same size.
        """
        return self._memory.advance(
            new,
            old_size=old_size,
            consistency=consistency,
            sign=lambda: _note(new, self._keys),
        )


def create_state(state_file: Path, *, origin: str) -> None:
    """Let a new notary remember that it signed nothing, unless it has a memory."""
    memory.create(state_file, origin=origin)


def read_state(state_file: Path) -> Checkpoint:
    """Return what a notary remembers; raise NotaryStateLost when it does not."""
    return memory.read(state_file).checkpoint


def init(
    folder: Path, *, name: str, key_file: Path | None, memory_file: Path | None
) -> VerifierKey:
    """Make the folder of a notary process; return the key that is to sign.

    A site that signed in its own process brings its key and its memory along. The key
    comes last: a folder without one is not yet a notary's.
    """
    if folder.exists() and any(folder.iterdir()):
        raise errors.WitnessFolderInvalid(
            f"{folder} is not empty; a notary is made once, into a folder of its own"
        )
    if (key_file is None) != (memory_file is None):
        raise errors.WitnessFolderInvalid(
            "a key and what it signed belong together: name both files or neither"
        )
    if key_file and memory_file:
        key = SignerKey.from_text(_read(key_file))
        remembered = memory.read(memory_file).checkpoint
        if not key.name == remembered.origin == name:
            raise errors.WitnessFolderInvalid(
                f"the key is of {key.name}, the memory of {remembered.origin}, the "
                f"notary is to be of {name}"
            )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        memory.adopt(folder / _MEMORY, remembered)
    else:
        note.check_name(name)
        key = SignerKey(name=name, seed=secrets.token_bytes(_SEED_BYTES))
        memory.create_dated(folder / _MEMORY, origin=name)
    _write_key(folder, key)
    return key.verifier


def open_folder(folder: Path) -> Notary:
    """Return the notary of a folder; raise WitnessFolderInvalid when it is none."""
    return Notary(keys=_read_keys(folder), state_file=folder / _MEMORY)


def add_key(folder: Path) -> VerifierKey:
    """Make one more key, which signs beside the others from now on."""
    name = open_folder(folder).last_signed().origin
    key = SignerKey(name=name, seed=secrets.token_bytes(_SEED_BYTES))
    _write_key(folder, key)
    return key.verifier


def drop_key(folder: Path, key: VerifierKey) -> None:
    """Remove a key; the last one stays."""
    known = open_folder(folder).verifiers()
    if key not in known:
        raise errors.WitnessFolderInvalid(f"{folder} holds no such key")
    if len(known) == 1:
        raise errors.WitnessFolderInvalid("the last key stays: add another one first")
    _key_file(folder, key).unlink()


def moved(folder: Path) -> Checkpoint:
    """Believe the memory again after a person moved the folder; return it."""
    with durable.held(folder / _LOCK):
        found = memory.read_undated(folder / _MEMORY).checkpoint
        memory.adopt(folder / _MEMORY, found)
        return found


def serve(folder: Path, *, socket: Path, group: str | None) -> None:
    """Sign what is asked for over a Unix socket, until SIGTERM."""
    one = open_folder(folder)
    # Rather now than at the first request.
    one.last_signed()

    def now() -> Notary:
        """Return the notary with the keys there are now."""
        return one.with_keys(_read_keys(folder))

    with durable.held(folder / _LOCK):
        listener = serving.listen_unix(
            socket, group_id=grp.getgrnam(group).gr_gid if group else None
        )
        routes: serving.Routes = {
            "/keys": {"GET": lambda body: _answer_keys(now())},
            "/last": {"GET": lambda body: _answer_last(now())},
            "/sign": {"POST": lambda body: _answer_sign(now(), body)},
        }
        serving.serve(
            listener, routes, announce=lambda: print(f"signing on {socket}", flush=True)
        )
        socket.unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the status to exit with."""
    options = _parser().parse_args(arguments)
    try:
        match options.command:
            case "init":
                key = init(
                    options.folder,
                    name=options.name,
                    key_file=options.key,
                    memory_file=options.memory,
                )
                print(key.text)
            case "serve":
                serve(options.folder, socket=options.socket, group=options.group)
            case "keys":
                for key in open_folder(options.folder).verifiers():
                    print(key.text)
            case "add-key":
                print(add_key(options.folder).text)
            case "drop-key":
                drop_key(options.folder, VerifierKey.from_text(options.key))
            case "moved":
                found = moved(options.folder)
                print(f"believes that it signed {found.size} entries last")
    except BlockingIOError:
        print(f"notary: another process serves {options.folder}", file=sys.stderr)
        return 1
    except (errors.LedgerError, OSError, KeyError) as error:
        print(f"notary: {error}", file=sys.stderr)
        return 1
    return 0


def _answer_keys(notary: Notary) -> Answer:
    lines = "".join(f"{key.text}\n" for key in notary.verifiers())
    return Answer(status=200, text=lines)


def _answer_last(notary: Notary) -> Answer:
    return Answer(status=200, text=notary.last_signed().text)


def _answer_sign(notary: Notary, body: bytes) -> Answer:
    asked = submission.parse(body)
    try:
        new = checkpoint.parse(asked.checkpoint.decode())
    except (UnicodeDecodeError, errors.CheckpointInvalid) as error:
        raise errors.SubmissionInvalid(f"not a checkpoint: {error}") from error
    if new.origin != notary.verifiers()[0].name:
        raise errors.LogUnknown("the checkpoint is of another log")
    signed = notary.sign(new, old_size=asked.old_size, consistency=asked.consistency)
    return Answer(status=200, text=signed.decode())


def _note(new: Checkpoint, keys: Sequence[SignerKey]) -> bytes:
    lines = [checkpoint.sign(new, key).rpartition(b"\n\n")[2] for key in keys]
    return new.text.encode() + b"\n" + b"".join(lines)


def _read_keys(folder: Path) -> list[SignerKey]:
    files = sorted((folder / _KEYS).glob("*.key"))
    if not files:
        raise errors.WitnessFolderInvalid(
            f"{folder} holds no key: `python -m ledger.notary init` makes one"
        )
    keys = [SignerKey.from_text(_read(path)) for path in files]
    if len({key.name for key in keys}) > 1:
        raise errors.WitnessFolderInvalid(f"the keys in {folder} are of several logs")
    return keys


def _key_file(folder: Path, key: VerifierKey) -> Path:
    return folder / _KEYS / f"{key.key_id.hex()}.key"


def _write_key(folder: Path, key: SignerKey) -> None:
    durable.write_once(_key_file(folder, key.verifier), f"{key.text}\n".encode())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise errors.KeyFileInvalid(f"cannot read the key {path}: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ledger.notary",
        description="Sign the checkpoints of one log, and never two histories.",
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, help: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help)
        added.add_argument("folder", type=Path, metavar="DIR")
        return added

    added = command("init", "make the folder of a notary; print its public key")
    added.add_argument("--name", required=True, help="the origin of the log")
    added.add_argument("--key", type=Path, help="the key the site signed with so far")
    added.add_argument("--memory", type=Path, help="what it signed with it last")
    added = command("serve", "sign over a Unix socket until SIGTERM")
    added.add_argument("--socket", type=Path, required=True)
    added.add_argument("--group", help="whose members may ask; default: the owner only")
    command("keys", "print the public keys")
    command("add-key", "make one more key, which signs beside the others")
    added = command("drop-key", "remove a key")
    added.add_argument("--key", required=True, metavar="VKEY")
    command("moved", "answer for a folder that was moved: nothing was signed meanwhile")
    return parser


if __name__ == "__main__":
    sys.exit(main())

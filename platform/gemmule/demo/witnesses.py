"""Give the demo witnesses: processes with keys and folders of their own, all required.

They run on the machine of the site, under its user: that shows how cosigning works, and
vouches for nothing. How an institution runs one is in docs/witness.md.
"""

import http.client
import shutil
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from gemmule.demo.processes import Recipe
from gemmule.demo.state import StateRefused
from ledger import cosigner, durable
from ledger.tlog.note import VerifierKey
from ledger.tlog.policy import Policy

MAX_WITNESSES = 5
VARIABLE = "GEMMULE_LEDGER_POLICY"

_FOLDER, _POLICY = "witnesses", "policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnesses:
    """What a site needs to run with witnesses; nothing for a site without any."""

    policy_file: Path | None = None
    urls: tuple[str, ...] = ()
    witnesses: Mapping[str, Recipe] = field(default_factory=dict)
    publisher: Mapping[str, Recipe] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Return what tells the site of its policy."""
        return {} if self.policy_file is None else {VARIABLE: str(self.policy_file)}


@contextmanager
def made(
    data_dir: Path, *, count: int | None, logs: Sequence[VerifierKey], first_port: int
) -> Iterator[Witnesses]:
    """Make or find the witnesses of a state, and hold their ports until the block ends.

    A state that has witnesses keeps them, whether they are asked for or not; None asks
    for as many as there are. Raises StateRefused for another number.
    """
    root = data_dir / _FOLDER
    policy_file = root / _POLICY
    known = _known(policy_file)
    if known and count not in (None, len(known)):
        raise StateRefused(
            f"this demo has {len(known)} witnesses and its ledger counts on them: "
            f"start it with --witnesses {len(known)} or without, or over with --fresh"
        )
    count = len(known) or count
    if not count:
        yield Witnesses()
        return
    folders = [root / f"witness{number}" for number in range(1, count + 1)]
    keys = [_key(folder, logs, is_new=not known) for folder in folders]
    with ExitStack() as stack:
        ports = known or [first_port and first_port + n for n in range(count)]
        listeners = [stack.enter_context(_listen(port)) for port in ports]
        urls = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in listeners]
        text = _policy(logs, keys, urls).encode()
        # The same bytes stay: another text is another policy, announced on the ledger.
        if not policy_file.exists() or policy_file.read_bytes() != text:
            durable.replace(policy_file, text)
        yield Witnesses(
            policy_file=policy_file,
            urls=tuple(urls),
            witnesses={
                folder.name: _recipe(folder, listener)
                for folder, listener in zip(folders, listeners, strict=True)
            },
            publisher={"publisher": _PUBLISHER},
        )


_PUBLISHER = Recipe(
    command=(sys.executable, "-m", "django", "publish_ledger", "--follow"),
    grace_s=10,
    when_parent_dies=signal.SIGTERM,
)


def _recipe(folder: Path, listener: socket.socket) -> Recipe:
    handle, port = listener.fileno(), listener.getsockname()[1]
    return Recipe(
        command=(
            *(sys.executable, "-m", "ledger.witness", "serve", str(folder)),
            # Held by us, as the port of the web server is.
            *("--listen", f"fd://{handle}"),
        ),
        pass_fds=(handle,),
        grace_s=10,
        when_parent_dies=signal.SIGTERM,
        is_ready=lambda: _answers(port),
    )


def _known(policy_file: Path) -> list[int]:
    """Return the ports of the witnesses that the state has."""
    if not policy_file.exists():
        return []
    policy = Policy.from_bytes(policy_file.read_bytes())
    return [urlsplit(each.url or "").port or 0 for each in policy.witnesses]


def _key(folder: Path, logs: Sequence[VerifierKey], *, is_new: bool) -> VerifierKey:
    if is_new:
        if folder.exists():
            # Left by a start that was cut short before there was a policy.
            shutil.rmtree(folder)
        name = f"{folder.name}.gemmule.localhost"
        return cosigner.init(folder, name=name, logs=logs)
    for log in logs:
        cosigner.add_log(folder, log)
    return cosigner.Cosigner(folder).verifier


def _policy(
    logs: Sequence[VerifierKey], keys: Sequence[VerifierKey], urls: Sequence[str]
) -> str:
    names = [f"witness{number}" for number in range(1, len(keys) + 1)]
    lines = [f"log {log.text}" for log in logs]
    lines += [
        f"witness {name} {key.text} {url}"
        for name, key, url in zip(names, keys, urls, strict=True)
    ]
    group = f"group every-witness all {' '.join(names)}"
    return "\n".join([*lines, group, "quorum every-witness", ""])


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError:
        # Another program is there; the policy will name the port that is free.
        return socket.create_server(("127.0.0.1", 0), backlog=128)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()

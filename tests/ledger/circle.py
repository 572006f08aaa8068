"""Witnesses that cosign in this process, can be cut off, and forget nothing.

Only the network between us and them is left out; what they check is the real thing.
"""

import threading
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest
from django.conf import settings

from ledger import cosigner, cosigning, errors, keys
from ledger.cosigner import Cosigner
from ledger.submission import Submission
from ledger.tlog.note import VerifierKey


class Circle:
    """Some witnesses, and a policy file that asks for `quorum` of them."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        count: int = 2,
        quorum: int | None = None,
    ) -> None:
        self.folder = folder
        self.names = [f"w{number}" for number in range(count)]
        self.quorum = count if quorum is None else quorum
        self.away: set[str] = set()
        # Who was asked, and from which size.
        self.asked: list[tuple[str, int]] = []
        self._lock = threading.Lock()
        logs = keys.verifiers()
        for name in self.names:
            cosigner.init(folder / name, name=f"{name}.example", logs=logs)
        self.policy_file = folder / "policy"
        self.write_policy()
        monkeypatch.setattr(settings, "LEDGER_POLICY_FILE", self.policy_file)
        monkeypatch.setattr(cosigning, "cosign", self.cosign)
        monkeypatch.setattr(cosigning, "last_note", self.last_note)

    def witness(self, name: str) -> Cosigner:
        return Cosigner(self.folder / name)

    def write_policy(
        self,
        *,
        quorum: int | None = None,
        logs: Collection[VerifierKey] | None = None,
    ) -> None:
        lines = [f"log {key.text}" for key in logs or keys.verifiers()]
        for name in self.names:
            key = self.witness(name).verifier
            lines.append(f"witness {name} {key.text} http://{name}.example")
        self.quorum = self.quorum if quorum is None else quorum
        lines.append(f"group enough {self.quorum} {' '.join(self.names)}")
        lines.append("quorum enough")
        self.policy_file.write_text("".join(f"{line}\n" for line in lines))

    def last_note(self, url: str, *, origin: str, timeout_s: float) -> bytes | None:
        name = url.removeprefix("http://").removesuffix(".example")
        if name in self.away:
            raise errors.WitnessUnreachable(f"the witness {name} does not answer")
        try:
            return self.witness(name).last_note(origin.encode()).encode()
        except errors.LogUnknown:
            return None

    def cosign(
        self,
        url: str,
        key: VerifierKey,
        *,
        old_size: int,
        proof: Sequence[bytes],
        note: bytes,
        timeout_s: float,
    ) -> str:
        name = url.removeprefix("http://").removesuffix(".example")
        with self._lock:
            self.asked.append((name, old_size))
        if name in self.away:
            raise errors.WitnessUnreachable(f"the witness {key.name} does not answer")
        asked = Submission(old_size=old_size, consistency=tuple(proof), checkpoint=note)
        try:
            return self.witness(name).add_checkpoint(asked.encode())
        except (errors.OldSizeStale, errors.RootForked) as error:
            raise errors.WitnessRefused(
                f"the witness {key.name} answers 409: {error}",
                status=409,
                size=error.size,
            ) from error
        except errors.LedgerError as error:
            raise errors.WitnessRefused(
                f"the witness {key.name} answers 422: {error}", status=422, size=None
            ) from error

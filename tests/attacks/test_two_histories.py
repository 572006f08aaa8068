"""Whoever holds the log's key shows two histories: what convicts her, and who tells.

The witnesses are processes of their own, the verdicts those of the `gemmule` command.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from gemmule import cli
from ledger import cosigning, errors
from ledger.tlog import checkpoint, hashing, proof
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.hashing import Frontier
from ledger.tlog.note import VerifierKey
from tests import witnesses
from tests.ledger import written

NAMES = ("hospital.example/w1", "library.example/w1")
HONEST = written.log_of(300)
# From entry 120 on another story; every link and every root is right again.
REWRITTEN = written.log_of(300, e120={"commit": bytes(32)})

Verify = Callable[..., tuple[int, str]]


@dataclass(frozen=True)
class Witnesses:
    """Two institutions that have cosigned the first 300 entries of the log."""

    keys: tuple[VerifierKey, ...]
    urls: tuple[str, ...]
    policy: Path

    def ask(self, log: Sequence[bytes], *, old: Sequence[bytes] = ()) -> list[str]:
        """Return what each witness signs; raise as the first one that refuses."""
        hashes = [hashing.leaf_hash(each) for each in log]
        root = hashing.root_hash(hashes)
        head = Checkpoint(origin=written.KEY.name, size=len(log), root=root)
        known = proof.subtrees_of(Frontier(), hashes)
        path = (
            proof.consistency_proof(len(old), len(log), known)
            if 0 < len(old) < len(log)
            else []
        )
        return [
            cosigning.cosign(
                url,
                key,
                old_size=len(old),
                proof=path,
                note=checkpoint.sign(head, written.KEY),
                timeout_s=30,
            )
            for key, url in zip(self.keys, self.urls, strict=True)
        ]

    def refuse(self, log: Sequence[bytes], *, old: Sequence[bytes]) -> int:
        """Return the status with which the first witness refuses."""
        with pytest.raises(errors.WitnessRefused) as refused:
            self.ask(log, old=old)
        return refused.value.status


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Witnesses]:
    """Run two witnesses that have seen the honest log, and a policy that asks both."""
    with ExitStack() as running:
        keys, urls, lines = [], [], [f"log {written.KEY.verifier.text}"]
        for number, name in enumerate(NAMES):
            folder = tmp_path / f"witness{number}"
            keys.append(witnesses.make(folder, written.KEY.verifier, name=name))
            urls.append(running.enter_context(witnesses.serving(folder)).url)
            lines.append(f"witness w{number} {keys[-1].text} {urls[-1]}")
        lines += ["group both all w0 w1", "quorum both"]
        policy = tmp_path / "policy"
        policy.write_text("".join(f"{line}\n" for line in lines))
        found = Witnesses(keys=tuple(keys), urls=tuple(urls), policy=policy)
        found.ask(HONEST)
        yield found


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Verify:
    """Return a function that runs `gemmule verify ledger` and gives what it says."""

    def run(folder: Path, policy: Path, *options: str | Path) -> tuple[int, str]:
        arguments = ["verify", "ledger", folder, "--policy", policy, *options]
        status = cli.main([str(each) for each in arguments])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def publish(folder: Path, log: Sequence[bytes], cosignatures: Sequence[str]) -> Path:
    """Write the files of a log as an auditor finds them."""
    written.write(folder, log, witnesses=())
    with (folder / "checkpoint").open("a", encoding="utf-8") as file:
        file.write("".join(cosignatures))
    return folder


def test_a_fork_under_the_stolen_log_key_finds_no_quorum(
    outside: Witnesses, verify: Verify, tmp_path: Path
) -> None:
    lines = outside.ask(HONEST, old=HONEST)
    status, said = verify(publish(tmp_path / "log", HONEST, lines), outside.policy)
    assert (status, "w0" in said, "w1" in said) == (0, True, True), said
    # The same size with another root, a proof from another past, a start from nothing.
    assert outside.refuse(REWRITTEN, old=HONEST) == 409
    longer = written.log_of(301, e120={"commit": bytes(32)})
    assert outside.refuse(longer, old=HONEST) == 422
    assert outside.refuse(longer, old=[]) == 409
    # She publishes it with her own signature alone, or with the witnesses' on the old.
    bare = publish(tmp_path / "bare", REWRITTEN, ())
    status, said = verify(bare, outside.policy)
    assert (status, "0 of the policy's 2 witnesses cosigned" in said) == (1, True)
    borrowed = publish(tmp_path / "borrowed", REWRITTEN, lines)
    status, said = verify(borrowed, outside.policy)
    assert (status, "is not of this text" in said) == (1, True)
    # Meanwhile the honest log goes on.
    assert len(outside.ask(written.log_of(310), old=HONEST)) == 2


def test_an_old_backup_that_is_gone_on_with_is_refused_by_the_witnesses(
    outside: Witnesses,
) -> None:
    """Database, notary and key are all of yesterday: nobody inside remembers more."""
    later = {f"e{seq}": {"commit": bytes(32)} for seq in range(200, 350)}
    shorter, gone_on = written.log_of(200), written.log_of(350, **later)
    assert gone_on[:200] == HONEST[:200]
    assert outside.refuse(shorter, old=shorter) == 409
    assert outside.refuse(gone_on[:250], old=shorter) == 409
    assert outside.refuse(gone_on, old=HONEST) == 422


def test_two_auditors_who_compare_convict_a_log_without_witnesses(
    verify: Verify, tmp_path: Path
) -> None:
    """Each alone is content: that is what witnesses are for."""
    policy = tmp_path / "policy"
    policy.write_text(written.policy_text(quorum=0))
    one = written.write(tmp_path / "one", HONEST, witnesses=())
    two = written.write(tmp_path / "two", REWRITTEN, witnesses=())
    assert verify(one, policy)[0] == verify(two, policy)[0] == 0
    status, said = verify(two, policy, "--since", one / "checkpoint")
    assert (status, "history was changed: the first 300 entries" in said) == (1, True)
    grown = written.log_of(310, e120={"commit": bytes(32)})
    written.write(two, grown, witnesses=())
    assert verify(two, policy)[0] == 0
    assert verify(two, policy, "--since", one / "checkpoint")[0] == 1
    written.write(one, written.log_of(310), witnesses=())
    assert verify(one, policy, "--since", one / "checkpoint")[0] == 0


def test_an_old_receipt_convicts_a_log_whose_witnesses_all_collude(
    verify: Verify, tmp_path: Path
) -> None:
    """Its checkpoint is signed by the log: a fork must contradict it."""
    policy = tmp_path / "policy"
    policy.write_text(written.policy_text(quorum=2))
    kept = tmp_path / "kept"
    receipt = written.receipt_of(HONEST, 150)
    kept.write_bytes(receipt[receipt.index(b"\n\n") + 2 :])
    honest = written.write(tmp_path / "honest", written.log_of(400))
    assert verify(honest, policy, "--since", kept)[0] == 0
    forged = written.log_of(400, e120={"commit": bytes(32)})
    fork = written.write(tmp_path / "fork", forged)
    assert verify(fork, policy)[0] == 0
    status, said = verify(fork, policy, "--since", kept)
    assert (status, "history was changed" in said) == (1, True)

"""What is exported is the log, as outsiders check it, and nothing the rows made up."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ledger import errors, exporting, keys, mirror, models, served
from ledger.sources import Folder
from ledger.tlog.policy import Policy
from tests.ledger import tampering

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]


def policy() -> Policy:
    return Policy.single(keys.log_key().verifier)


def check(folder: Path) -> int:
    return served.check(Folder(folder), policy()).cosigned.checkpoint.size


def test_an_export_holds_for_outsiders(events: list[uuid.UUID], tmp_path: Path) -> None:
    out = StringIO()
    call_command("export_ledger", str(tmp_path), stdout=out)
    assert out.getvalue() == f"{tmp_path} holds 7 entries, 7 of them new\n"
    assert check(tmp_path) == 7
    assert Policy.from_bytes((tmp_path / "policy").read_bytes()) == policy()


def test_an_export_goes_on_where_it_ended(
    events: list[uuid.UUID], record: Record, tmp_path: Path
) -> None:
    exporting.export(tmp_path / "export")
    pulled = mirror.pull(
        Folder(tmp_path / "export"), into=tmp_path / "mirror", policy=policy()
    )
    assert pulled.new == 7
    assert exporting.export(tmp_path / "export").new == 0
    record()
    record()
    assert exporting.export(tmp_path / "export").new == 2
    assert check(tmp_path / "export") == 9
    pulled = mirror.pull(
        Folder(tmp_path / "export"), into=tmp_path / "mirror", policy=policy()
    )
    assert (pulled.new, check(tmp_path / "mirror")) == (2, 9)


def test_without_a_checkpoint_there_is_nothing_to_export(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no checkpoint covers any entry yet"):
        call_command("export_ledger", str(tmp_path))


def test_a_missing_row_is_named(
    events: list[uuid.UUID], unguarded: Unguarded, tmp_path: Path
) -> None:
    with unguarded():
        models.Entry.objects.filter(seq=3).delete()
    with pytest.raises(errors.SequenceBroken, match="entry 3 is missing from the ta"):
        exporting.export(tmp_path)
    assert not (tmp_path / "checkpoint").exists()


def test_rewritten_rows_are_not_exported(
    events: list[uuid.UUID], unguarded: Unguarded, tmp_path: Path
) -> None:
    exporting.export(tmp_path / "before")
    with unguarded():
        tampering.rewrite(3, pub={"form_sha256": "ab" * 32})
    for folder in (tmp_path / "after", tmp_path / "before"):
        with pytest.raises(errors.VerificationError):
            # The second one was a true export: it has nothing to grow to.
            exporting.export(tmp_path / "after")
        assert not (tmp_path / "after" / "checkpoint").exists(), folder
    assert check(tmp_path / "before") == 7

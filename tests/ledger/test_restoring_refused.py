"""Tables and notary are left alone by files that do not fit them."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from ledger import (
    errors,
    exporting,
    keys,
    models,
    restoring,
)
from ledger.management.commands import restore_ledger
from tests.ledger import tampering
from tests.ledger.losing import findings, policy, restore, rows

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]


def test_tables_of_another_history_are_left_alone(
    export: Path, unguarded: Unguarded, now: datetime
) -> None:
    with unguarded():
        tampering.rewrite(3, pub={"form_sha256": "ab" * 32})
    before = rows()
    with pytest.raises(errors.RestoreRefused, match="entry 3 of the table is another"):
        restore(export, now)
    assert rows() == before


def test_tables_with_a_hole_are_left_alone(
    export: Path, unguarded: Unguarded, now: datetime
) -> None:
    with unguarded():
        models.Entry.objects.filter(seq=3).delete()
    with pytest.raises(errors.RestoreRefused, match="the head counts 7 entries, the t"):
        restore(export, now)
    with unguarded():
        models.Head.objects.all().delete()
    with pytest.raises(errors.RestoreRefused, match="missing within the table"):
        restore(export, now)


def test_older_files_do_not_replace_newer_entries(
    export: Path, record: Record, unguarded: Unguarded, now: datetime
) -> None:
    record()
    with pytest.raises(
        errors.NotaryRefused, match="signed 8 entries, the files hold 7"
    ):
        restore(export, now)
    keys.notary_state_file().write_text(
        (export / "checkpoint").read_text().split("\n\n")[0] + "\n"
    )
    with pytest.raises(
        errors.RestoreRefused, match="holds 8 entries, the files only 7"
    ):
        restore(export, now)
    with unguarded():
        models.Entry.objects.filter(seq=7).delete()
        models.Head.objects.all().delete()
    with pytest.raises(errors.RestoreRefused, match="of 8 entries was published"):
        restore(export, now)


def test_files_that_do_not_hold_restore_nothing(
    export: Path, lose: Callable[..., None], now: datetime
) -> None:
    lose()
    bundle = export / "tile/entries/000.p/7"
    good = bundle.read_bytes()
    bundle.write_bytes(good.replace(b"role.granted", b"role.revoked", 1))
    with pytest.raises(errors.VerificationError):
        restore(export, now)
    bundle.write_bytes(good)
    (export / "tile/0/000.p/7").unlink()
    with pytest.raises(errors.FileNotServed):
        restore(export, now)
    assert rows() == [] and not models.Head.objects.exists()


def test_a_key_that_the_log_does_not_announce_cannot_go_on_with_it(
    export: Path, lose: Callable[..., None], now: datetime
) -> None:
    believed = policy()
    lose()
    keys.notary_state_file().unlink()
    settings.LEDGER_KEY_FILE.unlink()
    keys.create_log_key()
    with pytest.raises(errors.KeyUnannounced, match="does not announce the key"):
        restoring.restore(export, policy=believed, now=now)
    assert rows() == []


def test_a_notary_that_forgot_is_made_to_remember_by_who_answers_for_it(
    export: Path, lose: Callable[..., None], record: Record, now: datetime
) -> None:
    lose()
    keys.notary_state_file().unlink()
    with pytest.raises(errors.NotaryStateLost):
        restore(export, now)
    assert rows() == []
    arguments = ("--from-tiles", str(export), "--policy", str(export / "policy"))
    call_command(
        restore_ledger.Command(), *arguments, "--notary-forgot", stdout=StringIO()
    )
    assert keys.open_notary().last_signed().size == len(rows()) == 7
    record()
    assert findings() == []


def test_nobody_answers_for_a_notary_that_remembers(
    export: Path, record: Record, now: datetime
) -> None:
    record()
    with pytest.raises(errors.NotaryRefused, match="signed 8 entries, the files hold"):
        restoring.restore(export, policy=policy(), now=now, notary_forgot=True)


def test_a_notary_restored_from_an_older_copy_catches_up(
    events: list[uuid.UUID],
    record: Record,
    lose: Callable[..., None],
    now: datetime,
    tmp_path: Path,
) -> None:
    older = keys.notary_state_file().read_bytes()
    for _ in range(5):
        record()
    exporting.export(tmp_path)
    lose()
    keys.notary_state_file().write_bytes(older)
    restore(tmp_path, now)
    assert keys.open_notary().last_signed().size == 12
    record()
    assert findings() == []

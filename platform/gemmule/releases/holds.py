"""Hold releases, of a dataset or of the whole site, until two administrators lift it.

A hold is placed by hand, by the commands that restore, and whenever something signed
proves that rows were lost (`ledger.rollback`). It is lifted by two people who each sign
what was found, and never while such a proof stands. What a hold keeps shut is
`holding`.
"""

import hashlib
import uuid
from collections.abc import Iterable
from datetime import datetime

import rfc8785
from django.db import transaction
from django.db.models import QuerySet

import gemmule.accounts.services
import ledger.rollback
import ledger.services
from gemmule.accounts.models import Role, User
from gemmule.accounts.permissions import check_role
from gemmule.catalog.models import Dataset
from gemmule.releases.errors import HoldStands
from gemmule.releases.hold import Hold, HoldCode
from ledger.inspection import Finding

REASONS: dict[HoldCode, str] = {
    HoldCode.BY_HAND: "The administrators of this site have stopped all releases.",
    HoldCode.RESTORED: (
        "This site was restored from a backup. Before releases go on, two "
        "administrators must read what the ledger says has happened since the backup."
    ),
    HoldCode.LEDGER: (
        "The database of this site is behind its signed ledger: it was restored from "
        "an older backup, or changed. It does not know what has been withdrawn or "
        "revoked since."
    ),
    HoldCode.LOST: (
        "After a restore, the ledger shows acts whose content is lost. They may have "
        "ended a consent or a request that releases of this dataset depend on."
    ),
}
# Of a ledger in ruins; `verify_ledger` tells all.
_MOST_FINDINGS = 200


def open_holds() -> QuerySet[Hold]:
    """Return the holds that stand, the oldest first."""
    return Hold.objects.filter(lifted_at=None).select_related("dataset").order_by("pk")


def place(
    *,
    code: HoldCode,
    now: datetime,
    dataset: Dataset | None = None,
    reason: str = "",
    findings: Iterable[Finding] = (),
) -> Hold:
    """Hold releases of the dataset, or all; one that stands learns what is new.

    Whoever signed a hold before has not read new findings, and signs again.
    """
    with transaction.atomic():
        hold = (
            open_holds()
            .select_for_update(of=("self",))
            .filter(code=code, dataset=dataset)
            .first()
        )
        if hold is None:
            hold = Hold(code=code, dataset=dataset, placed_at=now, reason="")
        known = {(each["code"], each["message"]) for each in hold.findings}
        new = [
            {"code": each.code, "message": each.message}
            for each in dict.fromkeys(findings)
            if (each.code, each.message) not in known
        ]
        if hold.pk and not new and (not reason or reason == hold.reason):
            return hold
        hold.findings = [*hold.findings, *new][:_MOST_FINDINGS]
        hold.reason = reason.strip() or hold.reason or REASONS[code]
        hold.read_by, hold.read_at = None, None
        hold.save()
    return hold


def sign(
    *,
    administrator: User,
    hold: Hold,
    findings_sha256: str,
    password: str,
    now: datetime,
) -> Hold:
    """Sign that one has read the findings; the second administrator lifts the hold.

    Raises HoldStands where the findings are others by now, where the same person signs
    twice, and while the rows are behind what was signed of the ledger.
    """
    check_role(administrator, Role.ADMINISTRATOR)
    proofs = [each for each in ledger.rollback.examine() if each.is_proof]
    if proofs:
        raise HoldStands(f"the ledger must be repaired first: {proofs[0].message}")
    with transaction.atomic():
        locked = open_holds().select_for_update(of=("self",)).filter(pk=hold.pk).first()
        if locked is None:
            raise HoldStands("this hold has already been lifted")
        if locked.findings_sha256 != findings_sha256:
            raise HoldStands(
                "there are new findings since you opened this page: read them"
            )
        if locked.read_by_id == administrator.pk:
            raise HoldStands(
                "you have already signed: a second administrator must sign"
            )
        statement = _statement(locked)
        signature = gemmule.accounts.services.sign(
            user=administrator, password=password, statement=statement, now=now
        )
        is_second = locked.read_by is not None
        if is_second:
            locked.lifted_by, locked.lifted_at = administrator, now
        else:
            locked.read_by, locked.read_at = administrator, now
        locked.save()
        pub = {
            "action": "lifted" if is_second else "read",
            "reason": locked.code,
            "statement_sha256": hashlib.sha256(statement).hexdigest(),
        }
        if locked.dataset is not None:
            pub["dataset"] = locked.dataset.accession
        ledger.services.append(
            type="hold.signed",
            pub=pub,
            body={
                "hold": locked.pk,
                "administrator": administrator.pk,
                "signature": signature.to_json(),
                "findings": locked.findings,
            },
            event=uuid.uuid4(),
            now=now,
        )
    return locked


def _statement(hold: Hold) -> bytes:
    """Return the canonical JSON (RFC 8785) that an administrator signs."""
    return rfc8785.dumps(
        {
            "statement": "gemmule/releases/lift-hold/v1",
            "hold": hold.pk,
            "dataset": hold.dataset.accession if hold.dataset else None,
            "reason": hold.reason,
            "findings_sha256": hold.findings_sha256,
        }
    )

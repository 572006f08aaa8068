"""Do what a person does to their own account, and write to them about it at once.

Each act leaves a notice in the inbox and a letter to every address concerned, in the
transaction of the act: it is there if and only if the act is. Who may, and whether the
password was asked for again, is decided before. Acts on allauth's pages come here
through `receivers`.
"""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from gemmule import celery
from gemmule.accounts import services
from gemmule.accounts.models import ResearcherKey, User
from gemmule.accounts.origins import Origin
from gemmule.notices import tasks
from gemmule.notices.models import Letter, Notice


def tell(
    *,
    user: User,
    kind: str,
    subject: str,
    origin: Origin,
    now: datetime,
    detail: str = "",
    also: Collection[str] = (),
) -> None:
    """Write of an act to the person's main address and to the addresses in `also`.

    `detail` is a sentence of ours: nothing that was typed in by whoever acted, and
    never a secret.
    """
    facts = f"When: {now:%-d %B %Y, %H:%M} UTC\nFrom: {origin}"
    with transaction.atomic():
        Notice.objects.create(
            user=user,
            kind=kind,
            subject=subject,
            body="\n".join(filter(None, (detail, facts))),
            url=reverse("profile"),
            created_at=now,
            mailed_at=now,  # Its letters are its mail.
        )
        for address in sorted({user.email, *also} - {""}):
            letter = Letter.objects.create(
                user=user,
                address=address,
                subject=subject,
                body=_text(
                    subject, detail, facts, is_main_address=address == user.email
                ),
                created_at=now,
            )
            transaction.on_commit(
                partial(celery.nudge, tasks.mail_letter, letter.pk), robust=True
            )


def update_profile(*, user: User, name: str, origin: Origin, now: datetime) -> None:
    """Change the name that others see beside what the person signs."""
    before = user.name
    with transaction.atomic():
        services.update_profile(user=user, name=name)
        if user.name != before:
            tell(
                user=user,
                kind="name.changed",
                subject="The name of your account was changed",
                origin=origin,
                now=now,
            )


def issue_token(
    *, user: User, name: str, expiry: timedelta, origin: Origin, now: datetime
) -> str:
    """Return a new API token, which nobody can show again."""
    with transaction.atomic():
        token = services.issue_token(user=user, name=name, expiry=expiry)
        tell(
            user=user,
            kind="token.made",
            subject="An API token was created for your account",
            detail=f"It works until {now + expiry:%-d %B %Y}.",
            origin=origin,
            now=now,
        )
    return token


def prove_key(
    *, user: User, key_id: uuid.UUID, answer: str, origin: Origin, now: datetime
) -> ResearcherKey:
    """Make the key active if `answer` is right; a wrong one is counted."""
    # Not one transaction: the count of a wrong answer must outlive the refusal. The
    # view's own transaction holds both together.
    key = services.prove_key(user=user, key_id=key_id, answer=answer, now=now)
    tell(
        user=user,
        kind="key.registered",
        subject="A key was added to your account",
        detail=f"Your files can be encrypted to it. Its SHA-256 is {key.fingerprint}.",
        origin=origin,
        now=now,
    )
    return key


def retire_key(*, user: User, key_id: uuid.UUID, origin: Origin, now: datetime) -> None:
    """Take the key out of use; one that was never proven is forgotten in silence."""
    with transaction.atomic():
        services.retire_key(user=user, key_id=key_id, now=now)
        key = user.researcher_keys.filter(pk=key_id).first()
        if key is not None:
            tell(
                user=user,
                kind="key.retired",
                subject="A key of your account was retired",
                detail=(
                    "Releases that are encrypted to it are not handed out any more. "
                    f"Its SHA-256 is {key.fingerprint}."
                ),
                origin=origin,
                now=now,
            )


def _text(subject: str, detail: str, facts: str, *, is_main_address: bool) -> str:
    return "\n\n".join(
        filter(
            None,
            (
                f"{subject}.",
                detail,
                facts,
                "If this was you, you need not do anything.",
                _remedy() if is_main_address else _OTHER_ADDRESS,
                "You get this because this address belongs, or belonged until now, to "
                "an account at Gemmule.\n",
            ),
        )
    )


_OTHER_ADDRESS = (
    "If this was not you, somebody else is using your account. This is not its main "
    "address, so we cannot mail you a link to a new password. Sign in and change the "
    "password if you can, and write to the administrator of this site at once."
)


def _remedy() -> str:
    address = f"{settings.PUBLIC_URL.rstrip('/')}{reverse('account_reset_password')}"
    return (
        "If this was not you, somebody else is using your account. Ask for a new "
        f"password at\n{address}\nA new password ends all sessions and all API tokens. "
        "Then write to the administrator of this site."
    )

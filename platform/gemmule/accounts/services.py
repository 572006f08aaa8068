"""Sign, register keys, issue tokens, open and link accounts.

Who else gets which role is `roles`; signing in and up are allauth's, which calls
`open_donor_account` through `adapter`.
"""

import hashlib
import uuid
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Q
from knox.models import AuthToken

import consent.services
from consent.models import Donor
from gemmule.accounts import keys, permissions, selectors, tries
from gemmule.accounts.errors import (
    AccountRefused,
    KeyRefused,
    NotFound,
    ProofRefused,
    SignatureRefused,
    TokenRefused,
    TooManyTries,
)
from gemmule.accounts.models import (
    DonorAccount,
    Institution,
    ResearcherKey,
    Role,
    RoleGrant,
    TokenLabel,
    User,
)
from gemmule.accounts.signatures import Signature

CHALLENGE_LIFETIME = timedelta(days=1)
CHALLENGE_MAX_TRIES = 5
MAX_PENDING_KEYS = 5
TOKEN_MAX_LIFETIME = timedelta(days=366)
MAX_TOKENS = 20


def sign(*, user: User, password: str, statement: bytes, now: datetime) -> Signature:
    """Return the signature of `statement` by whoever knows the user's password.

    Raises SignatureRefused for a wrong password and TooManyTries after
    `tries.MAX_TRIES` of them; the count outlives a rolled-back transaction.
    """
    if not user.has_usable_password():
        raise SignatureRefused("set a password for your account first, then sign")
    counter = f"sign:{user.pk}"
    if not tries.take(counter):
        raise TooManyTries(
            f"the password was wrong {tries.MAX_TRIES} times; "
            f"wait {tries.WINDOW_S // 60} minutes and try again"
        )
    if not user.is_active or not user.check_password(password):
        raise SignatureRefused("this is not your password; nothing was changed")
    tries.forget(counter)
    return Signature(
        user_id=user.pk,
        method="password",
        statement_sha256=hashlib.sha256(statement).hexdigest(),
        signed_at=now,
    )


# --- keys --------------------------------------------------------------------


def begin_key(
    *, user: User, name: str, public_key_text: str, now: datetime
) -> ResearcherKey:
    """Keep a public key with a challenge that only its owner can answer.

    A key that already waits for its proof gets a new challenge.
    """
    permissions.check_may_register_key(user)
    keys.refuse_secret_key(name)
    public_key = keys.parse_public_key(public_key_text)
    name = name.strip()
    if not name or len(name) > 100:
        raise KeyRefused("give the key a name of 1 to 100 characters")
    fingerprint = keys.fingerprint(public_key)
    with transaction.atomic():
        # One registration at a time per person, or the limit could be passed.
        User.objects.select_for_update().get(pk=user.pk)
        own = user.researcher_keys
        if own.filter(fingerprint=fingerprint, state=ResearcherKey.State.ACTIVE):
            raise KeyRefused("this key is already registered and active")
        key = own.filter(
            fingerprint=fingerprint, state=ResearcherKey.State.PENDING
        ).first()
        if key is None:
            if own.filter(state=ResearcherKey.State.PENDING).count() >= (
                MAX_PENDING_KEYS
            ):
                raise KeyRefused(
                    f"{MAX_PENDING_KEYS} keys already wait for their proof: "
                    "prove or discard one of them first"
                )
            key = ResearcherKey(
                user=user,
                public_key=public_key,
                fingerprint=fingerprint,
                created_at=now,
            )
        key.name = name
        _set_challenge(key, now)
    return key


def renew_challenge(*, user: User, key_id: uuid.UUID, now: datetime) -> ResearcherKey:
    """Replace the challenge of a key that still waits for its proof."""
    permissions.check_may_register_key(user)
    with transaction.atomic():
        key = _locked_key(user, key_id)
        if key.state != ResearcherKey.State.PENDING:
            raise KeyRefused(f"a challenge is for a new key, this one is {key.state}")
        _set_challenge(key, now)
    return key


def challenge_file(key: ResearcherKey) -> bytes:
    """Return the challenge as a Crypt4GH file that only the key's owner can open."""
    if key.challenge is None:
        raise NotFound("this key waits for no proof")
    return bytes(key.challenge)


def needs_new_challenge(key: ResearcherKey, *, now: datetime) -> bool:
    """Return whether the challenge of a pending key can be answered no more."""
    return key.state == ResearcherKey.State.PENDING and (
        key.is_challenge_expired(now) or key.challenge_tries >= CHALLENGE_MAX_TRIES
    )


def prove_key(
    *, user: User, key_id: uuid.UUID, answer: str, now: datetime
) -> ResearcherKey:
    """Make the key active if `answer` is the text inside its challenge file.

    A wrong answer is counted and raises ProofRefused; a transaction around it must
    outlive that, or the count is rolled back with it.
    """
    permissions.check_may_register_key(user)
    refusal: ProofRefused | None = None
    with transaction.atomic():
        key = _locked_key(user, key_id)
        _check_is_provable(key, now)
        try:
            keys.verify_answer(answer, key.challenge_sha256)
        except ProofRefused as wrong:
            refusal = wrong
            key.challenge_tries += 1
            key.save(update_fields=["challenge_tries"])
        else:
            key.state = ResearcherKey.State.ACTIVE
            key.registered_at = now
            _drop_challenge(key)
            key.save()
    if refusal is not None:
        raise refusal
    return key


def retire_key(*, user: User, key_id: uuid.UUID, now: datetime) -> None:
    """Take the key out of use; one that was never proven is forgotten."""
    with transaction.atomic():
        key = _locked_key(user, key_id)
        if key.state == ResearcherKey.State.PENDING:
            key.delete()
            return
        if key.state == ResearcherKey.State.RETIRED:
            raise KeyRefused("this key is already retired")
        key.state = ResearcherKey.State.RETIRED
        key.retired_at = now
        key.save(update_fields=["state", "retired_at"])


# --- tokens ------------------------------------------------------------------


def issue_token(*, user: User, name: str, expiry: timedelta) -> str:
    """Return a new API token, which nobody can show again: a digest is kept."""
    permissions.check_may_use_api(user)
    name = name.strip()
    if not name or len(name) > 100:
        raise TokenRefused("give the token a name of 1 to 100 characters")
    if not timedelta(0) < expiry <= TOKEN_MAX_LIFETIME:
        raise TokenRefused(
            f"a token lasts between 1 and {TOKEN_MAX_LIFETIME.days} days, "
            f"not {expiry.days}"
        )
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if AuthToken.objects.filter(user=user).count() >= MAX_TOKENS:
            raise TokenRefused(
                f"you have {MAX_TOKENS} tokens already: revoke one of them first"
            )
        token, secret = AuthToken.objects.create(user=user, expiry=expiry)
        TokenLabel.objects.create(token=token, name=name)
    return str(secret)


def revoke_token(*, user: User, token_id: uuid.UUID) -> None:
    """Forget the token; the next request that shows it is refused."""
    label = selectors.token_of(user, token_id)
    label.token.delete()


# --- accounts ----------------------------------------------------------------


def update_profile(*, user: User, name: str) -> User:
    """Change what others see the person called."""
    name = name.strip()
    if not name or len(name) > 150:
        raise AccountRefused("a name has 1 to 150 characters")
    user.name = name
    user.save(update_fields=["name"])
    return user


def open_account(
    *, administrator: User, email: str, name: str, institution: Institution | None
) -> User:
    """Open an account for a colleague, who sets a password by the mailed link.

    It holds no role until two administrators grant one.
    """
    permissions.check_may_manage_people(administrator)
    return _open_account(email, name, institution, password=None)


def open_account_by_command(*, email: str, name: str, password: str) -> User:
    """Open an account from the command line, whose operator vouches for the address."""
    with transaction.atomic():
        user = _open_account(email, name, None, password=password)
        EmailAddress.objects.filter(user=user).update(verified=True)
    return user


def open_donor_account(*, user: User, now: datetime) -> DonorAccount:
    """Make the person a donor: a pseudonym, the one link to it, the role."""
    with transaction.atomic():
        donor = consent.services.register_donor(now=now)
        account = link_donor(user=user, donor=donor)
        RoleGrant.objects.create(
            user=user,
            role=Role.DONOR,
            channel=RoleGrant.Channel.SIGNUP,
            created_at=now,
        )
    return account


def link_donor(*, user: User, donor: Donor) -> DonorAccount:
    """Link a login to a donor, each to one; erasure deletes this row."""
    with transaction.atomic():
        if DonorAccount.objects.filter(Q(user=user) | Q(donor=donor)).exists():
            raise AccountRefused("the account or the donor is already linked")
        if not Donor.objects.filter(pk=donor.pk, erased_at=None).exists():
            raise AccountRefused("everything about this donor is being erased")
        return DonorAccount.objects.create(user=user, donor=donor)


def _open_account(
    email: str, name: str, institution: Institution | None, password: str | None
) -> User:
    email, name = email.strip().lower(), name.strip()
    if not name or len(name) > 150:
        raise AccountRefused("a name has 1 to 150 characters")
    with transaction.atomic():
        taken = User.objects.filter(email=email).exists()
        if taken or EmailAddress.objects.filter(email=email).exists():
            raise AccountRefused("this e-mail address already has an account")
        user = User.objects.create_user(
            email, password, name=name, institution=institution
        )
        EmailAddress.objects.create(user=user, email=email, primary=True)
    return user


def _locked_key(user: User, key_id: uuid.UUID) -> ResearcherKey:
    key = ResearcherKey.objects.select_for_update().filter(user=user, pk=key_id).first()
    if key is None:
        raise NotFound("there is no such key of yours")
    return key


def _check_is_provable(key: ResearcherKey, now: datetime) -> None:
    if key.state != ResearcherKey.State.PENDING:
        raise ProofRefused(f"this key is {key.state} and needs no proof")
    if key.is_challenge_expired(now):
        raise ProofRefused(
            "the challenge is older than a day: make a new one and decrypt that"
        )
    if key.challenge_tries >= CHALLENGE_MAX_TRIES:
        raise ProofRefused(
            f"{CHALLENGE_MAX_TRIES} answers were wrong: make a new challenge and "
            "decrypt that"
        )


def _set_challenge(key: ResearcherKey, now: datetime) -> None:
    challenge = keys.new_challenge(bytes(key.public_key))
    key.challenge = challenge.file
    key.challenge_sha256 = challenge.answer_sha256
    key.challenge_expires_at = now + CHALLENGE_LIFETIME
    key.challenge_tries = 0
    key.save()


def _drop_challenge(key: ResearcherKey) -> None:
    key.challenge = None
    key.challenge_sha256 = ""
    key.challenge_expires_at = None

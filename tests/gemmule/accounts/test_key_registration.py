"""A key is active only once its owner has decrypted the challenge."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from gemmule.accounts import keys, selectors, services
from gemmule.accounts.errors import (
    KeyRefused,
    NotAllowed,
    NotFound,
    ProofRefused,
    SecretKeyRefused,
)
from gemmule.accounts.models import ResearcherKey, Role, User
from tests import factories
from tests.gemmule.accounts.conftest import KeyPair

Register = Callable[[], ResearcherKey]


@pytest.fixture
def begun(rosa: User, pair: KeyPair, now: datetime) -> ResearcherKey:
    return begin(rosa, pair, now)


def begin(user: User, pair: KeyPair, now: datetime) -> ResearcherKey:
    return services.begin_key(
        user=user, name=" laptop ", public_key_text=pair.public_text, now=now
    )


def answer_of(key: ResearcherKey, pair: KeyPair) -> str:
    opened = pair.decrypt(services.challenge_file(key))
    assert opened.returncode == 0, opened.stderr
    return opened.stdout.decode()


def test_key_waits_for_its_proof(begun: ResearcherKey, rosa: User) -> None:
    begun.refresh_from_db()

    assert begun.state == ResearcherKey.State.PENDING
    assert begun.name == "laptop"
    assert not begun.is_active()
    assert not selectors.active_keys(rosa).exists()


def test_owner_proves_the_key_with_the_tool(
    begun: ResearcherKey, rosa: User, pair: KeyPair, now: datetime
) -> None:
    later = now + timedelta(hours=1)

    services.prove_key(
        user=rosa, key_id=begun.pk, answer=answer_of(begun, pair), now=later
    )

    key = selectors.active_keys(rosa).get()
    assert key.registered_at == later
    assert bytes(key.public_key) == keys.parse_public_key(pair.public_text)
    assert key.fingerprint == keys.fingerprint(bytes(key.public_key))


def test_proven_key_keeps_nothing_of_its_challenge(
    begun: ResearcherKey, rosa: User, pair: KeyPair, now: datetime
) -> None:
    services.prove_key(
        user=rosa, key_id=begun.pk, answer=answer_of(begun, pair), now=now
    )

    key = selectors.key_of(rosa, begun.pk)
    assert key.challenge is None
    assert key.challenge_sha256 == ""
    with pytest.raises(NotFound):
        services.challenge_file(key)
    with pytest.raises(ProofRefused, match="needs no proof"):
        services.prove_key(user=rosa, key_id=begun.pk, answer="", now=now)


def test_answer_itself_is_not_stored(begun: ResearcherKey, pair: KeyPair) -> None:
    answer = answer_of(begun, pair).strip()
    row = ResearcherKey.objects.filter(pk=begun.pk).values().get()

    stored = " ".join(
        bytes(value).hex() if isinstance(value, memoryview | bytes) else str(value)
        for value in row.values()
    )
    assert answer not in stored
    assert answer.encode().hex() not in stored


def test_secret_key_leaves_no_row(rosa: User, pair: KeyPair, now: datetime) -> None:
    with pytest.raises(SecretKeyRefused):
        services.begin_key(
            user=rosa, name="x", public_key_text=pair.secret_text, now=now
        )

    assert not ResearcherKey.objects.exists()


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_key_without_a_fitting_name_is_refused(
    rosa: User, pair: KeyPair, now: datetime, name: str
) -> None:
    with pytest.raises(KeyRefused, match="1 to 100"):
        services.begin_key(
            user=rosa, name=name, public_key_text=pair.public_text, now=now
        )

    assert not ResearcherKey.objects.exists()


def test_wrong_answers_run_out(
    begun: ResearcherKey, rosa: User, pair: KeyPair, now: datetime
) -> None:
    right = answer_of(begun, pair)
    for _ in range(services.CHALLENGE_MAX_TRIES):
        with pytest.raises(ProofRefused, match="not the text inside"):
            services.prove_key(user=rosa, key_id=begun.pk, answer="no", now=now)

    with pytest.raises(ProofRefused, match="make a new challenge"):
        services.prove_key(user=rosa, key_id=begun.pk, answer=right, now=now)

    begun.refresh_from_db()
    assert begun.state == ResearcherKey.State.PENDING
    assert services.needs_new_challenge(begun, now=now)


def test_challenge_lasts_a_day(
    begun: ResearcherKey, rosa: User, pair: KeyPair, now: datetime
) -> None:
    right = answer_of(begun, pair)
    tomorrow = now + timedelta(days=1)

    with pytest.raises(ProofRefused, match="older than a day"):
        services.prove_key(user=rosa, key_id=begun.pk, answer=right, now=tomorrow)

    just_before = tomorrow - timedelta(seconds=1)
    services.prove_key(user=rosa, key_id=begun.pk, answer=right, now=just_before)


@pytest.mark.parametrize("by_form", [True, False])
def test_new_challenge_replaces_the_old(
    begun: ResearcherKey, rosa: User, pair: KeyPair, now: datetime, by_form: bool
) -> None:
    old = answer_of(begun, pair)
    with pytest.raises(ProofRefused):
        services.prove_key(user=rosa, key_id=begun.pk, answer="no", now=now)

    if by_form:
        renewed = services.renew_challenge(user=rosa, key_id=begun.pk, now=now)
    else:
        renewed = begin(rosa, pair, now)

    assert renewed.pk == begun.pk
    assert renewed.challenge_tries == 0
    with pytest.raises(ProofRefused):
        services.prove_key(user=rosa, key_id=begun.pk, answer=old, now=now)
    services.prove_key(
        user=rosa, key_id=begun.pk, answer=answer_of(renewed, pair), now=now
    )


def test_active_key_is_not_registered_twice(
    active: ResearcherKey, rosa: User, pair: KeyPair, now: datetime
) -> None:
    with pytest.raises(KeyRefused, match="already registered"):
        begin(rosa, pair, now)
    with pytest.raises(KeyRefused, match="this one is active"):
        services.renew_challenge(user=rosa, key_id=active.pk, now=now)


@pytest.fixture
def active(
    begun: ResearcherKey, rosa: User, pair: KeyPair, now: datetime
) -> ResearcherKey:
    return services.prove_key(
        user=rosa, key_id=begun.pk, answer=answer_of(begun, pair), now=now
    )


def test_retired_key_is_out_of_use_and_can_come_back_by_a_new_proof(
    active: ResearcherKey, rosa: User, pair: KeyPair, now: datetime
) -> None:
    services.retire_key(user=rosa, key_id=active.pk, now=now)

    assert not selectors.active_keys(rosa).exists()
    active.refresh_from_db()
    assert active.retired_at == now
    with pytest.raises(KeyRefused, match="already retired"):
        services.retire_key(user=rosa, key_id=active.pk, now=now)

    again = begin(rosa, pair, now)
    assert again.pk != active.pk
    services.prove_key(
        user=rosa, key_id=again.pk, answer=answer_of(again, pair), now=now
    )
    assert selectors.active_keys(rosa).get() == again


def test_key_that_was_never_proven_is_forgotten(
    begun: ResearcherKey, rosa: User, now: datetime
) -> None:
    services.retire_key(user=rosa, key_id=begun.pk, now=now)

    assert not ResearcherKey.objects.exists()


def test_keys_of_others_look_as_if_they_were_not_there(
    begun: ResearcherKey, now: datetime
) -> None:
    other = factories.person(Role.RESEARCHER)
    for key_id in (begun.pk, uuid.uuid4()):
        with pytest.raises(NotFound, match="no such key of yours"):
            services.prove_key(user=other, key_id=key_id, answer="", now=now)
        with pytest.raises(NotFound, match="no such key of yours"):
            services.retire_key(user=other, key_id=key_id, now=now)
        with pytest.raises(NotFound, match="no such key of yours"):
            services.renew_challenge(user=other, key_id=key_id, now=now)
        with pytest.raises(NotFound, match="no such key of yours"):
            selectors.key_of(other, key_id)

    begun.refresh_from_db()
    assert begun.challenge_tries == 0


def test_only_researchers_register_keys(
    ada: User, ira: User, sven: User, aud: User, alma: User, sam: User,
    pair: KeyPair, now: datetime,
) -> None:  # fmt: skip
    for user in (ada, ira, sven, aud, alma, sam):
        with pytest.raises(NotAllowed):
            begin(user, pair, now)

    assert not ResearcherKey.objects.exists()


def test_researcher_whose_role_was_revoked_proves_no_key(
    begun: ResearcherKey, rosa: User, pair: KeyPair, now: datetime
) -> None:
    rosa.role_grants.update(revoked_at=now)

    with pytest.raises(NotAllowed):
        services.prove_key(
            user=rosa, key_id=begun.pk, answer=answer_of(begun, pair), now=now
        )


def test_pending_keys_are_limited(
    rosa: User, new_pair: Callable[[], KeyPair], now: datetime
) -> None:
    for _ in range(services.MAX_PENDING_KEYS):
        begin(rosa, new_pair(), now)

    with pytest.raises(KeyRefused, match="already wait"):
        begin(rosa, new_pair(), now)


def test_two_people_may_hold_the_same_key(
    begun: ResearcherKey, pair: KeyPair, now: datetime
) -> None:
    other = factories.person(Role.RESEARCHER)

    assert begin(other, pair, now).fingerprint == begun.fingerprint


def test_database_holds_one_live_row_per_person_and_key(
    active: ResearcherKey, rosa: User, now: datetime
) -> None:
    twin = ResearcherKey(
        user=rosa,
        name="twin",
        public_key=bytes(active.public_key),
        fingerprint=active.fingerprint,
        state=ResearcherKey.State.ACTIVE,
        created_at=now,
        registered_at=now,
    )

    with pytest.raises(IntegrityError, match="key_once_per_user"), transaction.atomic():
        twin.save(force_insert=True)

"""A fresh installation gets its first administrators from the command line."""

from datetime import datetime
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

import ledger.selectors
from gemmule.accounts import selectors
from gemmule.accounts.models import Role, RoleGrant, User
from tests import factories

COMMAND = "gemmule.notices.management.commands.grant_role"
PASSWORD = "nine-violet-anchors-84"


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("grant_role", *arguments, stdout=out)
    return out.getvalue()


def test_first_role_is_granted_and_on_the_ledger_as_bootstrap(sam: User) -> None:
    said = run(sam.email, "administrator")

    assert said == f"{sam.email} is now Administrator\n"
    grant = sam.role_grants.get()
    assert grant.channel == RoleGrant.Channel.BOOTSTRAP
    assert grant.event is not None
    assert ledger.selectors.entry(grant.event).pub == {"role": "administrator"}
    body = ledger.selectors.open_body(grant.event)
    assert body is not None
    assert body["channel"] == "bootstrap"


def test_account_is_opened_on_the_way(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{COMMAND}.getpass.getpass", lambda prompt: PASSWORD)

    run("New@Example.org", "steward", "--create", "Nils New")

    user = User.objects.get(email="new@example.org")
    assert user.check_password(PASSWORD)
    assert user.name == "Nils New"
    assert selectors.roles_of(user) == [Role.STEWARD]
    assert EmailAddress.objects.get(user=user).verified


@pytest.mark.parametrize(
    ("answers", "reason"),
    [(["123", "123"], "too short"), ([PASSWORD, "other"], "differ")],
)
def test_bad_password_opens_no_account(
    db: None, monkeypatch: pytest.MonkeyPatch, answers: list[str], reason: str
) -> None:
    given = iter(answers)
    monkeypatch.setattr(f"{COMMAND}.getpass.getpass", lambda prompt: next(given))

    with pytest.raises(CommandError, match=reason):
        run("new@example.org", "steward", "--create", "Nils New")

    assert not User.objects.exists()


def test_role_that_is_refused_leaves_no_account_behind(
    alma: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.person(Role.ADMINISTRATOR)
    monkeypatch.setattr(f"{COMMAND}.getpass.getpass", lambda prompt: PASSWORD)

    with pytest.raises(CommandError):
        run("new@example.org", "steward", "--create", "Nils New")

    assert not User.objects.filter(email="new@example.org").exists()


def test_with_two_administrators_the_command_refuses(alma: User, sam: User) -> None:
    factories.person(Role.ADMINISTRATOR)

    with pytest.raises(CommandError, match="2 administrators"):
        run(sam.email, "steward")

    assert selectors.roles_of(sam) == []


def test_with_two_administrators_one_must_have_confirmed(alma: User, sam: User) -> None:
    factories.person(Role.ADMINISTRATOR)

    run(sam.email, "steward", "--confirmed-by", alma.email)

    assert sam.role_grants.get().confirmed_by == alma


def test_who_confirms_is_an_administrator_and_another_person(
    alma: User, rosa: User, sam: User
) -> None:
    with pytest.raises(CommandError, match="Administrator"):
        run(sam.email, "steward", "--confirmed-by", rosa.email)
    with pytest.raises(CommandError, match="their own"):
        run(alma.email, "steward", "--confirmed-by", alma.email)
    with pytest.raises(CommandError, match="nobody here"):
        run(sam.email, "steward", "--confirmed-by", "ghost@example.org")


@pytest.mark.parametrize("arguments", [("donor",), ("emperor",), ()])
def test_unknown_role_is_refused(sam: User, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(sam.email, *arguments)


def test_unknown_person_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="nobody here"):
        run("ghost@example.org", "steward")


def test_role_already_held_is_refused(rosa: User, now: datetime) -> None:
    with pytest.raises(CommandError, match="already hold"):
        run(rosa.email, "researcher")

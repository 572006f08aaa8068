"""Pages on which administrators open accounts and two of them give a role."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from gemmule.accounts import roles, selectors
from gemmule.accounts.models import Role, RoleGrant, RoleProposal, User
from gemmule.demo import cast
from tests import factories

SignedIn = Callable[[User], Client]


@pytest.fixture
def client(signed_in: SignedIn, alma: User) -> Client:
    return signed_in(alma)


@pytest.fixture
def proposal(alma: User, sam: User, now: datetime) -> RoleProposal:
    return roles.propose(administrator=alma, user=sam, role=Role.STEWARD, now=now)


def urls(proposal: RoleProposal, grant: RoleGrant) -> list[str]:
    return [
        reverse("people"),
        reverse("people_invite"),
        reverse("role_propose"),
        reverse("role_confirm", args=[proposal.pk]),
        reverse("role_decline", args=[proposal.pk]),
        reverse("role_revoke", args=[grant.pk]),
    ]


def test_two_administrators_give_a_role(
    client: Client, signed_in: SignedIn, sam: User, alan: User
) -> None:
    assert client.get(reverse("role_propose")).status_code == 200
    answer = client.post(
        reverse("role_propose"), {"email": sam.email, "role": "steward"}
    )
    assert answer.headers["Location"] == reverse("people")
    proposal = selectors.open_proposals().get()
    confirm = reverse("role_confirm", args=[proposal.pk])
    second = signed_in(alan)
    assert confirm in second.get(reverse("people")).content.decode()
    page = second.get(confirm).content.decode()
    assert sam.name in page
    assert "Data steward" in page

    answer = second.post(confirm, {"password": cast.PASSWORD})

    assert answer.headers["Location"] == reverse("people")
    assert selectors.roles_of(sam) == [Role.STEWARD]
    listed = client.get(reverse("people")).content.decode()
    assert sam.name in listed
    assert confirm not in listed


def test_who_proposed_is_offered_no_confirmation(
    client: Client, proposal: RoleProposal, sam: User
) -> None:
    confirm = reverse("role_confirm", args=[proposal.pk])

    assert "password" not in client.get(confirm).content.decode()
    answer = client.post(confirm, {"password": cast.PASSWORD})

    assert answer.status_code == 403
    assert selectors.roles_of(sam) == []


@pytest.mark.parametrize("password", ["wrong", ""])
def test_wrong_password_gives_no_role(
    signed_in: SignedIn, alan: User, proposal: RoleProposal, sam: User, password: str
) -> None:
    answer = signed_in(alan).post(
        reverse("role_confirm", args=[proposal.pk]), {"password": password}
    )

    assert answer.status_code == 200
    assert selectors.roles_of(sam) == []


@pytest.mark.parametrize(
    ("email", "role", "reason"),
    [
        ("ghost@example.org", "steward", "Nobody here"),
        ("alma@example.org", "steward", "themselves"),
        ("rosa@example.org", "researcher", "already hold"),
        ("sam@example.org", "donor", "Select a valid choice"),
        ("sam@example.org", "emperor", "Select a valid choice"),
        ("no address", "steward", "valid email"),
    ],
)
def test_bad_proposal_is_told_and_changes_nothing(
    client: Client, rosa: User, sam: User, email: str, role: str, reason: str
) -> None:
    answer = client.post(reverse("role_propose"), {"email": email, "role": role})

    assert answer.status_code == 200
    assert reason in answer.content.decode()
    assert not RoleProposal.objects.exists()


def test_declined_proposal_is_gone(
    client: Client, proposal: RoleProposal, sam: User
) -> None:
    url = reverse("role_decline", args=[proposal.pk])

    assert client.post(url).headers["Location"] == reverse("people")
    assert selectors.roles_of(sam) == []
    assert client.post(url).status_code == 400
    assert client.get(reverse("role_confirm", args=[proposal.pk])).status_code == 404


def test_role_is_revoked_after_a_question(client: Client, rosa: User) -> None:
    url = reverse("role_revoke", args=[rosa.role_grants.get().pk])
    assert url in client.get(reverse("people")).content.decode()

    page = client.get(url).content.decode()
    assert "Rosa Marin" in page
    assert selectors.roles_of(rosa) == [Role.RESEARCHER]
    assert client.post(url).headers["Location"] == reverse("people")

    assert selectors.roles_of(rosa) == []
    assert client.get(url).status_code == 404


def test_own_role_is_not_revoked(client: Client, alma: User) -> None:
    url = reverse("role_revoke", args=[alma.role_grants.get().pk])

    assert url not in client.get(reverse("people")).content.decode()
    assert client.post(url).status_code == 403


def test_colleague_is_invited(client: Client) -> None:
    institution = factories.InstitutionFactory.create()
    assert client.get(reverse("people_invite")).status_code == 200

    answer = client.post(
        reverse("people_invite"),
        {"name": "Nils", "email": "nils@example.org", "institution": institution.pk},
    )

    assert answer.headers["Location"] == reverse("people")
    user = User.objects.get(email="nils@example.org")
    assert user.institution == institution
    assert "Nils" in client.get(reverse("people")).content.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "alma@example.org"},
        {"email": "nonsense"},
        {"name": ""},
        {"institution": "0"},
    ],
)
def test_bad_invitation_changes_nothing(client: Client, fields: dict[str, str]) -> None:
    before = User.objects.count()

    answer = client.post(
        reverse("people_invite"),
        {"name": "Nils", "email": "nils@example.org"} | fields,
    )

    assert answer.status_code == 200
    assert User.objects.count() == before


def test_markup_in_a_name_is_text_wherever_it_stands(
    client: Client, proposal: RoleProposal, sam: User
) -> None:
    sam.name = """<i id='x'>"Sam" {{ user.email }} {% url 'people' %}</i>"""
    sam.save()

    for url in (reverse("people"), reverse("role_confirm", args=[proposal.pk])):
        page = client.get(url).content.decode()
        assert "<i id=" not in page
        assert (
            "&lt;i id=&#x27;x&#x27;&gt;&quot;Sam&quot; {{ user.email }} {% url" in page
        )


def test_donors_are_not_listed(client: Client, ada: User) -> None:
    page = client.get(reverse("people")).content.decode()

    assert ada.name not in page
    assert ada.email not in page


def test_list_takes_as_many_queries_for_many_people_as_for_few(
    client: Client, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for _ in range(10):
        factories.person(Role.RESEARCHER, Role.STEWARD)

    with django_assert_max_num_queries(10):  # type: ignore[attr-defined]  # pytest-django's own
        client.get(reverse("people"))


def test_stranger_is_sent_to_sign_in(proposal: RoleProposal, alma: User) -> None:
    stranger = Client()
    for url in urls(proposal, alma.role_grants.get()):
        for answer in (stranger.get(url), stranger.post(url)):
            assert answer.status_code in {302, 405}
            if answer.status_code == 302:
                assert answer.headers["Location"].startswith("/account/login/")


@pytest.mark.parametrize("who", ["ada", "rosa", "ira", "ingrid", "sven", "aud", "sam"])
def test_other_roles_manage_nobody(
    request: pytest.FixtureRequest,
    signed_in: SignedIn,
    proposal: RoleProposal,
    alma: User,
    who: str,
) -> None:
    client = signed_in(request.getfixturevalue(who))
    fields = {
        "email": "rosa@example.org",
        "role": "steward",
        "name": "x",
        "password": cast.PASSWORD,
    }
    for url in urls(proposal, alma.role_grants.get()):
        for answer in (client.get(url), client.post(url, fields)):
            assert answer.status_code in {403, 405}
    assert RoleProposal.objects.get().state == RoleProposal.State.OPEN
    assert selectors.roles_of(alma) == [Role.ADMINISTRATOR]


def test_other_methods_are_refused(client: Client, proposal: RoleProposal) -> None:
    assert client.post(reverse("people")).status_code == 405
    assert client.put(reverse("people_invite")).status_code == 405
    assert client.put(reverse("role_propose")).status_code == 405
    assert client.delete(reverse("role_confirm", args=[1])).status_code == 405
    assert client.get(reverse("role_decline", args=[1])).status_code == 405
    assert client.delete(reverse("role_revoke", args=[1])).status_code == 405

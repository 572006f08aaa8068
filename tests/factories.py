"""Make people and the states around them, through the services where they exist."""

import uuid
from datetime import UTC, datetime
from typing import Any

from factory.declarations import Sequence
from factory.django import DjangoModelFactory

from gemmule.accounts.models import Institution, Role, RoleGrant, User
from gemmule.demo import cast

EARLIER = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


class InstitutionFactory(DjangoModelFactory[Institution]):
    """An institution of its own name; asked twice, the same row."""

    class Meta:
        model = Institution
        django_get_or_create = ("name",)

    name = Sequence(lambda number: f"Institution {number}")
    country = "SE"


class UserFactory(DjangoModelFactory[User]):
    """A person who can sign in with the password of the cast, and may do nothing."""

    class Meta:
        model = User
        django_get_or_create = ("email",)

    email = Sequence(lambda number: f"person{number}@example.org")
    name = Sequence(lambda number: f"Person {number}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        existing = User.objects.filter(email=kwargs["email"]).first()
        return existing or User.objects.create_user(password=cast.PASSWORD, **kwargs)


def grant(user: User, role: Role) -> RoleGrant:
    """Give a role as two administrators would; a donor makes herself one."""
    if role == Role.DONOR:
        return RoleGrant.objects.create(
            user=user,
            role=role,
            channel=RoleGrant.Channel.SIGNUP,
            created_at=EARLIER,
        )
    return RoleGrant.objects.create(
        user=user,
        role=role,
        granted_by=UserFactory.create(email="first-administrator@example.org"),
        confirmed_by=UserFactory.create(email="second-administrator@example.org"),
        event=uuid.uuid4(),
        created_at=EARLIER,
    )


def person(*roles: Role, **fields: Any) -> User:
    """Return a new person who holds `roles`."""
    user = UserFactory.create(**fields)
    for role in roles:
        grant(user, role)
    return user


def member(who: cast.Member) -> User:
    """Return the person of the cast, with her roles and institution."""
    institution = (
        InstitutionFactory.create(name=who.institution) if who.institution else None
    )
    return person(
        *(Role(role) for role in who.roles),
        email=who.email,
        name=who.name,
        institution=institution,
    )

"""Make people and the states around them, through the services everyone uses."""

from datetime import UTC, datetime
from typing import Any

from factory.declarations import Sequence
from factory.django import DjangoModelFactory

from gemmule.accounts import roles, services
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

    email = Sequence(lambda number: f"person{number}@example.org")
    name = Sequence(lambda number: f"Person {number}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        user = services.open_account_by_command(
            email=kwargs.pop("email"), name=kwargs.pop("name"), password=cast.PASSWORD
        )
        for field, value in kwargs.items():
            setattr(user, field, value)
        user.save()
        return user


def grant(user: User, role: Role) -> RoleGrant:
    """Give a role as a person gets it: a donor by signing up, others from the machine.

    Every grant of power is an entry on the ledger.
    """
    if role is Role.DONOR:
        services.open_donor_account(user=user, now=EARLIER)
        return user.role_grants.get(role=role)
    administrators = User.objects.filter(
        role_grants__role=Role.ADMINISTRATOR, role_grants__revoked_at=None
    )
    return roles.grant_by_command(
        user=user,
        role=role,
        confirmed_by=administrators.exclude(pk=user.pk).first(),
        now=EARLIER,
    )


def person(*held: Role, **fields: Any) -> User:
    """Return a new person who holds the roles."""
    user = UserFactory.create(**fields)
    for role in held:
        grant(user, role)
    return user


def member(who: cast.Member) -> User:
    """Return the person of the cast, with her roles and institution."""
    institution = (
        InstitutionFactory.create(name=who.institution) if who.institution else None
    )
    return person(
        *map(Role, who.roles),
        email=who.email,
        name=who.name,
        institution=institution,
    )

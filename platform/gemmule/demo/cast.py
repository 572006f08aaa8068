"""The people of the demo and of the tests: each role, and a stranger.

Two where the work takes two: stewards, the IRB, administrators.

Who they are, not what they have done; that is the scene.
"""

from dataclasses import dataclass

# The demo serves this machine alone; where others can reach it, nobody has one.
PASSWORD = "amber-ledger-41-sprouts"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person: how they are called, sign in and what they may do.

    `roles` are values of `gemmule.accounts.models.Role`; a stranger has none.
    """

    name: str
    email: str
    roles: tuple[str, ...]
    institution: str = ""

    @property
    def key(self) -> str:
        """The first name in lower case: `ada`."""
        return self.name.partition(" ")[0].lower()


HOSPITAL = "Linden University Hospital"
INSTITUTE = "Harbour Institute of Genomics"

ADA = Member(name="Ada Brandt", email="ada@example.org", roles=("donor",))
ROSA = Member(
    name="Rosa Marin",
    email="rosa@example.org",
    roles=("researcher",),
    institution=INSTITUTE,
)
IRA = Member(
    name="Ira Cohen",
    email="ira@example.org",
    roles=("irb_reviewer",),
    institution=HOSPITAL,
)
INGRID = Member(
    name="Ingrid Solberg",
    email="ingrid@example.org",
    roles=("irb_chair",),
    institution=HOSPITAL,
)
SVEN = Member(
    name="Sven Lindqvist",
    email="sven@example.org",
    roles=("steward",),
    institution=HOSPITAL,
)
SIGNE = Member(
    name="Signe Dahl",
    email="signe@example.org",
    roles=("steward",),
    institution=HOSPITAL,
)
AUD = Member(
    name="Aud Nilsen",
    email="aud@example.org",
    roles=("auditor",),
    institution=HOSPITAL,
)
ALMA = Member(
    name="Alma Reyes",
    email="alma@example.org",
    roles=("administrator",),
    institution=HOSPITAL,
)
ALAN = Member(
    name="Alan Whitaker",
    email="alan@example.org",
    roles=("administrator",),
    institution=HOSPITAL,
)
SAM = Member(name="Sam Stranger", email="sam@example.org", roles=())

# Alan last: with two administrators the machine grants no role by itself any more.
CAST = (ADA, ROSA, IRA, INGRID, SVEN, SIGNE, AUD, ALMA, ALAN)

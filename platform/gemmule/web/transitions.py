"""Write down, as one page of Markdown, what can become of what.

The tables in the code decide; the page is read by people who do not read code. What
an act does beside moving the state is in the services of the same names.
"""

from collections.abc import Iterable, Mapping

from django.db.models import TextChoices

import consent.states
import gemmule.access.states
import gemmule.catalog.states
import gemmule.releases.states
from consent.models import Act, Consent
from gemmule.access.models import RequestState
from gemmule.catalog.models import DataFileState
from gemmule.releases.models import ReleaseState

_HEAD = """\
# States

What can become of a consent, a dataset, a file, a request and a release. Derived from
the tables in the code by `manage.py write_docs`: change those, not this page.
"""


def page() -> str:
    """Return the whole page, ending in a newline."""
    sections = [_HEAD, _consents(), _datasets(), _files(), _requests(), _releases()]
    return "\n".join(sections)


def _consents() -> str:
    rows = [
        (
            _code(act),
            _codes(state or "undecided" for state in _ordered(act)),
            # What the row of this act says while no other follows it.
            _code(Consent(act=act).state),
        )
        for act in Act
    ]
    return _section(
        "Consent of a donor",
        "consent/states.py",
        "A donor who has decided nothing yet is `undecided`. A consent whose last day "
        "has passed counts as `expired` from then on; the act `expired` records it.",
        ("Act", "Possible while", "Then"),
        rows,
    )


def _ordered(act: Act) -> list[str | None]:
    return sorted(consent.states.ALLOWED_FROM[act], key=lambda state: state or "")


def _datasets() -> str:
    rows = [
        (_code(stage), _codes(sorted(acts)) or "nothing more")
        for stage, acts in gemmule.catalog.states.ACTS.items()
    ]
    return _section(
        "Dataset",
        "platform/gemmule/catalog/states.py",
        "`confirm_map` leads from `open` to `confirmed`, `reopen` back, `publish` to "
        "`published`, which is for good.",
        ("Stage", "Possible acts"),
        rows,
    )


def _files() -> str:
    return _section(
        "File of a dataset",
        "platform/gemmule/catalog/states.py",
        "The acts are those of the check. `start` while one runs is for a check whose "
        "worker was lost.",
        ("State", "Act", "Next state"),
        _moves(DataFileState, gemmule.catalog.states.FILE_TRANSITIONS),
    )


def _requests() -> str:
    return _section(
        "Access request",
        "platform/gemmule/access/states.py",
        "Who may act is asked before the state is.",
        ("State", "Act", "Next state"),
        _moves(RequestState, gemmule.access.states.TRANSITIONS),
    )


def _releases() -> str:
    transitions = gemmule.releases.states.TRANSITIONS
    rows = [
        (
            _state(state),
            # In the order of a release's life, which is that of its states.
            _codes(one for one in ReleaseState if one in transitions[state])
            or "nothing more",
        )
        for state in ReleaseState
    ]
    return _section(
        "Release",
        "platform/gemmule/releases/states.py",
        "A release moves on by what happens to it: a worker, the ledger, a donor, the "
        "calendar.",
        ("State", "Can become"),
        rows,
    )


def _moves(
    states: type[TextChoices], transitions: Mapping[str, Mapping[str, str]]
) -> list[tuple[str, ...]]:
    """Return a row for each state and act; a state without acts has one row."""
    return [
        (_state(state), *move)
        for state in states
        for move in (
            [(_code(act), _code(then)) for act, then in transitions[state].items()]
            or [("nothing more", "")]
        )
    ]


def _section(
    title: str,
    source: str,
    note: str,
    columns: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
) -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"## {title}\n\nFrom `{source}`. {note}\n\n{table}\n"


def _state(state: TextChoices) -> str:
    return f"{_code(state.value)} {state.label}"


def _codes(words: Iterable[str]) -> str:
    return ", ".join(_code(word) for word in words)


def _code(word: str) -> str:
    # str() of a member that is an enum gives its value, as all of ours are text.
    return f"`{word!s}`"

"""What each act of a donor is called, and what follows from it. Grade 8 at most."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from consent.errors import ConsentError
from consent.forms import definition, shipped
from consent.models import Act, Consent, FormVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class ActWords:
    """An act as its donor reads it."""

    title: str
    now: tuple[str, ...]
    tone: str = "good"
    # Whether the terms say what is allowed after it.
    allows: bool = False


ACTS: Mapping[str, ActWords] = {
    Act.GIVEN: ActWords(
        title="You gave your consent",
        now=(
            "From now on your data can be in files for studies that fit your choice.",
            "A review board looks at each study first.",
            "You can change your mind at any time.",
        ),
        allows=True,
    ),
    Act.CHANGED: ActWords(
        title="You changed your consent",
        now=(
            "Your new choice holds from now on.",
            "Files that do not fit it any more were stopped at once, and we asked "
            "those who had one to delete it.",
        ),
        allows=True,
    ),
    Act.PAUSED: ActWords(
        title="You paused",
        now=(
            "No new file holds your data until you go on.",
            "Files that wait to be fetched are locked for now. No one was asked to "
            "delete anything.",
        ),
        tone="attention",
    ),
    Act.RESUMED: ActWords(
        title="You ended the pause",
        now=("Your choice from before the pause holds again.",),
        allows=True,
    ),
    Act.REFUSED: ActWords(
        title="You said no",
        now=(
            "Your data is in no file, and no one may use it.",
            "Your care stays the same. You can say yes later if you want to.",
        ),
        tone="stop",
    ),
    Act.WITHDRAWN: ActWords(
        title="You took back your consent",
        now=(
            "No new file holds your data, and no more is sent of a file that does.",
            "We asked each place that has a live file with your data to delete it.",
            "Your care stays the same. You can give your consent again if you want to.",
        ),
        tone="stop",
    ),
    Act.EXPIRED: ActWords(
        title="Your consent ran out",
        now=("No new file holds your data. You can give your consent again.",),
        tone="attention",
    ),
}


def act_words(consent: Consent) -> ActWords:
    """Return the words for what the donor did."""
    return ACTS[consent.act]


def must_stand(version: FormVersion | None) -> Mapping[str, str]:
    """Return the sentences that no donor page may leave out, as the form has them."""
    try:
        return version.to_form().must_stand if version else _shipped()
    except ConsentError:  # A form taken over from elsewhere may lack them.
        return _shipped()


@cache
def _shipped() -> Mapping[str, str]:
    return definition.read(shipped.content()).must_stand

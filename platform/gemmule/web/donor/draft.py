"""A consent that is not signed yet: its answers, kept in the session between steps."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.urls import reverse

from consent import selectors
from consent.forms import answers as given
from consent.forms.definition import Form, Option, Question
from consent.models import Act, Donor, FormVersion
from gemmule.web.donor.sealed import body_of

_KEY = "consent_draft"
Answer = str | list[str]


@dataclass(slots=True, kw_only=True)
class Draft:
    """Answers to one form version, and the event that signing them will be."""

    version: FormVersion
    form: Form
    event: UUID = field(default_factory=uuid.uuid4)
    understood: bool = False
    answers: dict[str, Answer] = field(default_factory=dict)

    def asked(self) -> list[Question]:
        """Return the questions that these answers lead to, in order."""
        return given.asked(self.form, self.answers)

    def open_question(self) -> Question | None:
        """Return the first question that has not been answered yet."""
        return next((one for one in self.asked() if one.id not in self.answers), None)

    def offered(self, question: Question) -> list[Option]:
        """Return the options of a question that make sense under the answers."""
        return [
            option
            for option in question.options
            if given.holds(option.only_if, self.answers)
        ]

    def answer(self, question: Question, answer: Answer) -> None:
        """Keep an answer; what it changes in later questions is asked anew."""
        before = {one.id: self.offered(one) for one in self.form.questions}
        self.answers[question.id] = answer
        for one in self.form.questions:
            if self.offered(one) != before[one.id]:
                self.answers.pop(one.id, None)

    def settled(self) -> dict[str, Answer]:
        """Return the answers that count: those of questions that are asked."""
        return {one.id: self.answers[one.id] for one in self.asked()}

    def next_page(self) -> str:
        """Return the address of the first step that is not done."""
        if not self.understood:
            return reverse("donor_consent_check")
        question = self.open_question()
        if question is None:
            return reverse("donor_consent_review")
        return reverse("donor_consent_question", args=[question.id])

    def page_before(self, question: Question) -> str:
        """Return the address of the step before a question."""
        asked = self.asked()
        place = [one.id for one in asked].index(question.id)
        if place == 0:
            return reverse("donor_consent_check")
        return reverse("donor_consent_question", args=[asked[place - 1].id])

    def lacks_genes(self, question: Question) -> bool:
        """Tell whether this was the last place to name a gene, and none was."""
        places = [
            one
            for one in self.asked()
            if one.kind == "genes" or any(option.genes for option in one.options)
        ]
        picked = [o for one in self.asked() for o in given.chosen(one, self.answers)]
        return (
            question in places[-1:]
            and any(option.needs_genes for option in picked)
            and not any(option.genes for option in picked)
            and not any(self.answers.get(one.id) for one in places if not one.options)
        )


def begin(session: SessionBase, donor: Donor) -> Draft:
    """Return the draft that was begun, or a new one for the form of today.

    A donor who changes a consent finds her answers, where the form is still the same.
    """
    found = load(session)
    if found is None:
        version = selectors.published_form()
        found = Draft(version=version, form=version.to_form())
        if (before := signed_answers(donor, version)) is not None:
            found.answers, found.understood = before, True
    save(session, found)
    return found


def load(session: SessionBase) -> Draft | None:
    """Return the draft of this session; None without one, or for an older form."""
    kept: dict[str, Any] | None = session.get(_KEY)
    if kept is None:
        return None
    version = selectors.published_form()
    if kept["form"] != version.sha256:
        return None
    return Draft(
        version=version,
        form=version.to_form(),
        event=UUID(kept["event"]),
        understood=kept["understood"],
        answers=kept["answers"],
    )


def save(session: SessionBase, draft: Draft) -> None:
    """Keep the draft for the next step."""
    session[_KEY] = {
        "form": draft.version.sha256,
        "event": str(draft.event),
        "understood": draft.understood,
        "answers": draft.answers,
    }


def drop(session: SessionBase) -> None:
    """Forget the draft: it was signed, or overtaken by another act."""
    session.pop(_KEY, None)


def signed_answers(donor: Donor, version: FormVersion) -> dict[str, Answer] | None:
    """Return the answers of the consent that stands, if they were given to this form.

    They are read from what the ledger commits to; without it nothing is ticked.
    """
    for row in selectors.history(donor):
        if row.act in (Act.PAUSED, Act.RESUMED):
            continue
        if row.act not in (Act.GIVEN, Act.CHANGED) or row.form_id != version.pk:
            return None
        body = body_of(row.event) or {}
        found: dict[str, str | Sequence[str]] = body.get("answers") or {}
        return {
            name: value if isinstance(value, str) else list(value)
            for name, value in found.items()
        } or None
    return None

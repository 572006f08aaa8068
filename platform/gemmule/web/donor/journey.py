"""The way to a signed consent; giving and changing take the same pages.

Each step is one `<form method="post">`; answers wait in the session until they are
signed. A step that is not open yet leads to the first one that is.

1. `/donor/consent/`: key information. No fields.
2. `/donor/consent/check/`: a field for each comprehension question, named by its id,
   its value that of an option. A wrong answer is explained and asked again.
3. `/donor/consent/questions/ID/`: one field named ID. Kinds `one` and `many`: option
   values; `diseases`: MONDO ids; `countries`: codes of ISO 3166; `genes`: a text of
   symbols. Lists repeat the field. `diseases` and `countries` also have `search`, and
   a button `find` that only searches. Which question comes next follows from the
   answers, so follow the redirect.
4. `/donor/consent/review/`: `password`, and the hidden `event` and
   `statement_sha256` of what was read. Signed, it leads to the receipt.

A donor who changes a consent given to the same form starts at step 4 with her
answers, each with a link to change it.
"""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from consent import countries, diseases, events, selectors, states
from consent.errors import AnswersInvalid
from consent.forms import answers as given
from consent.forms.answers import Choices
from consent.forms.definition import Question
from consent.forms.sentences import plain_sentences
from consent.models import Act, Consent, Donor
from gemmule.accounts.errors import NotFound, SignatureRefused
from gemmule.accounts.services import sign
from gemmule.releases import services
from gemmule.web.donor import draft as drafts
from gemmule.web.donor.draft import Answer, Draft
from gemmule.web.donor.member import donor_page
from gemmule.web.forms import instead
from gemmule.web.forms.donor import CheckForm, QuestionForm, SignForm
from gemmule.web.member import MemberRequest


@donor_page("GET", "POST")
def start(request: MemberRequest, donor: Donor) -> HttpResponse:
    """Show the key information on one screen, with more for who wants it."""
    version = selectors.published_form()
    if request.method == "POST":
        return redirect(drafts.begin(request.session, donor).next_page())
    return render(
        request,
        "donor/start.html",
        {
            "version": version,
            "form": version.to_form(),
            "act": _act(donor),
            "has_answers": drafts.signed_answers(donor, version) is not None,
        },
    )


@donor_page("GET", "POST")
def check(request: MemberRequest, donor: Donor) -> HttpResponse:
    """Ask whether the key points came across, and explain those that did not."""
    draft = drafts.load(request.session)
    if draft is None:
        return redirect("donor_consent")
    form = CheckForm(request.POST or None, questions=draft.form.comprehension)
    taught: dict[str, str] = {}
    if request.method == "POST":
        sent = {name: str(value) for name, value in request.POST.items() if value}
        wrong = given.wrong_answers(draft.form, sent)
        taught = {name: why for name, why in wrong.items() if sent.get(name)}
        if form.is_valid() and not wrong:
            draft.understood = True
            drafts.save(request.session, draft)
            return redirect(draft.next_page())
    return render(
        request,
        "donor/check.html",
        {"form": form, "taught": taught},
        status=422 if request.method == "POST" else 200,
    )


@donor_page("GET", "POST")
def question(request: MemberRequest, donor: Donor, name: str) -> HttpResponse:
    """Ask one question; a search on its page answers with what it found."""
    draft = drafts.load(request.session)
    if draft is None:
        return redirect("donor_consent")
    asked = _open_question(draft, name)
    if asked is None:
        return redirect(draft.next_page())
    is_search = request.method == "POST" and "find" in request.POST
    sent, taken = instead.taken(request.POST, name)
    form = QuestionForm(
        sent if request.method == "POST" and not is_search else None,
        question=asked,
        offered=draft.offered(asked),
        answer=request.POST.getlist(name) if is_search else draft.answers.get(name),
        search=request.POST.get("search", ""),
    )
    if form.is_bound and form.is_valid() and not taken:
        draft.answer(asked, form.answer)
        if draft.lacks_genes(asked):
            form.add_error(name, "Name a gene, or go back and pick a group of genes.")
        else:
            drafts.save(request.session, draft)
            return redirect(draft.next_page())
    everything = [one.id for one in draft.asked()]
    return render(
        request,
        "donor/question.html",
        {
            "form": form,
            "field": form[name],
            "taken": taken,
            "question": asked,
            "number": everything.index(name) + 1,
            "of": len(everything),
            "before": draft.page_before(asked),
            "is_last_open": draft.open_question() is None,
        },
        status=422 if form.errors else 200,
    )


@sensitive_post_parameters("password")
@donor_page("GET", "POST")
def review(request: MemberRequest, donor: Donor) -> HttpResponse:
    """Show all answers and what they mean; sign exactly that by password."""
    # The act first: were it read after the look for a double click, an act that is
    # recorded in between would turn a giving into a change.
    act = _act(donor)
    sent = SignForm(request.POST) if request.method == "POST" else None
    done = _recorded(donor, sent)
    if done is not None:
        drafts.drop(request.session)
        return redirect("donor_receipt", event=done.event)
    draft = drafts.load(request.session)
    if draft is None:
        return redirect("donor_home" if selectors.current(donor) else "donor_consent")
    if not draft.understood or draft.open_question() is not None:
        return redirect(draft.next_page())
    answers = draft.settled()
    try:
        choices = given.choices_from_answers(draft.form, answers)
    except AnswersInvalid as refusal:
        return _ask_again(request, draft, refusal)
    said = plain_sentences(choices.terms, choices.withheld, choices.discovery)
    statement = _statement(act, draft, choices, said)
    digest = hashlib.sha256(statement).hexdigest()
    form = sent or SignForm()
    if sent is not None and sent.is_valid():
        if sent.cleaned_data["statement_sha256"] != digest:
            sent.add_error(
                None,
                "Your answers have changed since you opened this page. Read them "
                "again, then sign.",
            )
        else:
            made = _sign(request, donor, act, draft, statement, said, sent)
            if made is not None:
                drafts.drop(request.session)
                return redirect("donor_receipt", event=made.event)
    return render(
        request,
        "donor/review.html",
        {
            "form": form,
            "event": draft.event,
            "digest": digest,
            "said": said,
            "rows": [(one, _shown(one, answers[one.id])) for one in draft.asked()],
            "must_stand": draft.form.must_stand,
            "act": act,
        },
        status=422 if sent is not None else 200,
    )


def _act(donor: Donor) -> Act:
    """Return what signing would be: a change where a consent stands."""
    before = selectors.current(donor)
    state = before.state_on(timezone.now().date()) if before else None
    return Act.CHANGED if states.is_allowed(Act.CHANGED, state) else Act.GIVEN


def _open_question(draft: Draft, name: str) -> Question | None:
    """Return the question if every step before it is done; raises NotFound."""
    if name not in {one.id for one in draft.form.questions}:
        raise NotFound("the form has no such question")
    if not draft.understood:
        return None
    first = draft.open_question()
    for one in draft.asked():
        if one.id == name:
            return one
        if first is not None and one.id == first.id:
            return None
    return None


def _recorded(donor: Donor, sent: SignForm | None) -> Consent | None:
    """Return the act that this very page has made before: a double click."""
    if sent is None:
        return None
    sent.is_valid()
    event: UUID | None = sent.cleaned_data.get("event")
    if event is None:
        return None
    return Consent.objects.filter(donor=donor, event=event).first()


def _ask_again(
    request: MemberRequest, draft: Draft, refusal: AnswersInvalid
) -> HttpResponse:
    """Lead to the question whose answer does not fit the others."""
    messages.error(request, str(refusal)[:1].upper() + str(refusal)[1:] + ".")
    name = refusal.question or draft.asked()[0].id
    return redirect("donor_consent_question", name=name)


def _statement(act: Act, draft: Draft, choices: Choices, said: Sequence[str]) -> bytes:
    terms = choices.terms.to_json()
    # The state is that of the row that is to be written.
    del terms["state"]
    return events.statement(
        act=act.value,
        form_sha256=draft.version.sha256,
        language=draft.version.language,
        terms=terms,
        withheld=choices.withheld,
        discovery=choices.discovery,
        sentences=said,
    )


def _sign(
    request: MemberRequest,
    donor: Donor,
    act: Act,
    draft: Draft,
    statement: bytes,
    said: Sequence[str],
    form: SignForm,
) -> Consent | None:
    """Sign and record; a wrong password is told on the form."""
    now = timezone.now()
    try:
        signature = sign(
            user=request.user,
            password=form.cleaned_data["password"],
            statement=statement,
            now=now,
        )
    except SignatureRefused as refusal:
        form.add_error("password", _sentence(refusal))
        return None
    fields: dict[str, Any] = {
        "form": draft.version,
        "answers": draft.settled(),
        "language": draft.version.language,
        # The words as they were read: with them the statement can be made again.
        "evidence": {**signature.to_json(), "sentences": list(said)},
        "event": draft.event,
    }
    record = services.change_consent if act is Act.CHANGED else services.give_consent
    return record(donor=donor, now=now, **fields)


def _sentence(refusal: Exception) -> str:
    text = str(refusal)
    return text[:1].upper() + text[1:] + "."


def _shown(question: Question, answer: Answer) -> list[str]:
    """Return an answer in the words of its page."""
    values = [answer] if isinstance(answer, str) else answer
    if question.options:
        labels = {option.value: option.label for option in question.options}
        return [labels[value] for value in values if value in labels]
    if question.kind == "diseases":
        return [diseases.graph().label(value) or value for value in values]
    if question.kind == "countries":
        return [countries.names().get(value, value) for value in values]
    return list(values)

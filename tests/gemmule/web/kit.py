"""A page with every part of the kit on it, for tests and for eyes.

`urlpatterns` are those of the site and `/kit/`: set ROOT_URLCONF to this module.
"""

import hashlib
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template, engines
from django.template.backends.django import DjangoTemplates
from django.urls import path
from django_cotton.compiler_regex import CottonCompiler

import gemmule.urls
from gemmule.web import plots
from gemmule.web.plots import Amount, Series
from ledger.selectors import EntryView

PAGE = Path(__file__).with_name("kit.html")
AT = datetime(2026, 11, 22, 14, 2, 11, tzinfo=UTC)
HINTS = {
    "all": "Any kind of research, at universities, hospitals and companies.",
    "disease": "You choose which diseases on the next page.",
}


class KitForm(forms.Form):
    """One field of each kind."""

    title = forms.CharField(max_length=60, help_text="As it will stand in lists.")
    summary = forms.CharField(widget=forms.Textarea, required=False)
    purpose = forms.ChoiceField(
        label="What may your data be used for?",
        choices=[
            ("all", "All research"),
            ("health", "Research on health"),
            ("disease", "Research on some diseases"),
        ],
        widget=forms.RadioSelect,
    )
    countries = forms.MultipleChoiceField(
        label="In which countries?",
        choices=[("FI", "Finland"), ("DE", "Germany"), ("NO", "Norway")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    build = forms.ChoiceField(choices=[("GRCh37", "GRCh37"), ("GRCh38", "GRCh38")])
    regions = forms.CharField(
        required=False, help_text="Gene symbols, or lines of BED."
    )
    file = forms.FileField(label="Sample map", required=False)
    agree = forms.BooleanField(label="I have read the statement above")
    password = forms.CharField(
        label="Your password",
        widget=forms.PasswordInput,
        help_text="It is your signature.",
    )


def entry(number: int, type_: str = "consent.given") -> EntryView:
    """Return an entry that a checkpoint covers."""
    return EntryView(
        event=uuid.UUID(int=number),
        type=type_,
        state="published",
        seq=number,
        time=AT + timedelta(minutes=number % 60),
        leaf_hash=hashlib.sha256(str(number).encode()).digest(),
        pub={},
        commit=bytes(32),
    )


def kit(request: HttpRequest) -> HttpResponse:
    """Show every part."""
    engine = engines["django"]
    assert isinstance(engine, DjangoTemplates)
    # Cotton rewrites its tags where files are loaded; this file lies elsewhere.
    page = Template(CottonCompiler().process(PAGE.read_text()), engine=engine.engine)
    bound = KitForm({"title": "", "regions": "BRCA1", "purpose": "none"})
    given = entry(41233)
    context = {
        "form": KitForm(prefix="new"),
        "wrong": bound,
        "hints": HINTS,
        "given": given,
        "withdrawn": entry(41871, "consent.withdrawn"),
        "approved": entry(40712, "access.approved"),
        "sequenced": replace(entry(41872, "data.released"), state="sequenced"),
        "pending": replace(
            given,
            state="pending",
            seq=None,
            time=None,
            leaf_hash=None,
            type="data.released",
        ),
        "few": "< 20",
        "at": AT,
        "links": [("Releases", "/audit/releases/"), ("GMP000014", "/audit/")],
        "shares": plots.shares(
            title="What 629 donors allow",
            description="410 permit, 96 ask for a review, 123 refuse.",
            parts=[
                Amount(name="Permit", value=410),
                Amount(name="Ask for a review", value=96, tone="attention"),
                Amount(name="Refuse", value=123, tone="stop"),
            ],
        ),
        "columns": plots.columns(
            title="Decisions by month",
            description="Between four and thirteen a month, most of them approvals.",
            periods=["Jun", "Jul", "Aug", "Sep", "Oct", "Nov"],
            series=[
                Series(name="Approved", values=[4, 6, 2, 8, 9, 7]),
                Series(name="Sent back", values=[1, 2, 1, 3, 2, 4], tone="attention"),
                Series(name="Denied", values=[0, 1, 1, 0, 2, 1], tone="stop"),
            ],
        ),
        "bars": plots.bars(
            title="Days to a decision",
            description="A third within a week; two took longer than a month.",
            rows=[
                Amount(name="Up to 7 days", value=21),
                Amount(name="8 to 14 days", value=28),
                Amount(name="15 to 30 days", value=9, tone="attention"),
                Amount(name="Longer", value=2, tone="stop"),
            ],
        ),
    }
    return HttpResponse(page.render(RequestContext(request, context)))


urlpatterns = [path("kit/", kit, name="kit"), *gemmule.urls.urlpatterns]

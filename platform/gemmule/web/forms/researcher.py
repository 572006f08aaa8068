"""Forms of researchers: projects, purposes in DUO terms, releases."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from consent import countries, diseases
from gemmule.access.models import AccessRequest, Project
from gemmule.accounts.models import ResearcherKey
from gemmule.catalog.models import Dataset
from gemmule.web import words

_YES_NO = (("yes", "Yes"), ("no", "No"))
_SUGGESTED = 4
_UNASKED = ("prohibited", "uses_genetic_data")


class ProjectForm(forms.Form):
    """A project's title and what it says to donors."""

    title = forms.CharField(label="Title", max_length=200)
    lay_summary = forms.CharField(
        label="Summary for donors",
        help_text="Two or three plain sentences: what you want to find out, and for "
        "whom. Donors whose data you use will read it.",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class MemberForm(forms.Form):
    """A colleague to take into a project."""

    email = forms.EmailField(
        label="E-mail address of a colleague",
        help_text="They need an account here with the role of researcher.",
    )


class TitledChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # stubs alone
    """A choice among rows that have a title and an accession."""

    def label_from_instance(self, obj: Project | Dataset) -> str:
        """Return how a row is called in the list."""
        return f"{obj.title} ({obj.accession})"


class NewRequestForm(forms.Form):
    """Which of the user's projects asks for which dataset."""

    project = TitledChoice(queryset=Project.objects.none(), empty_label=None)
    dataset = TitledChoice(queryset=Dataset.objects.none(), empty_label=None)

    def __init__(self, *args: Any, projects: Any, datasets: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (("project", projects), ("dataset", datasets)):
            field = self.fields[name]
            if not isinstance(field, TitledChoice):
                raise AssertionError(f"{name} is chosen from rows")
            field.queryset = rows


class PurposeForm(forms.Form):
    """A purpose as a researcher states it, with its regions and justification."""

    research_types = forms.MultipleChoiceField(
        label="What kind of research is it?",
        help_text="Tick all that apply; each donor's consent is compared with each.",
        choices=list(words.RESEARCH_TYPES.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    diseases = forms.CharField(
        label="Diseases",
        help_text="One per line: a name, such as breast cancer, or a MONDO id.",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )
    organisation = forms.ChoiceField(
        label="Who takes part?",
        help_text="If several do, the strictest counts.",
        choices=[
            ("non-profit", "Only non-profit organisations"),
            ("for-profit", "At least one company"),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    commercial = forms.ChoiceField(
        label="Is any use commercial?",
        choices=_YES_NO,
        required=False,
        widget=forms.RadioSelect,
    )
    countries = forms.CharField(
        label="Countries",
        help_text="Of every site, collaborator and place of storage, parted by commas: "
        "names or codes of two letters.",
        required=False,
        max_length=1000,
    )
    ethics_approval = forms.ChoiceField(
        label="Ethics approval",
        choices=[
            ("", "None"),
            ("unverified", "We have one; the IRB may see it"),
            ("exempt", "This research is exempt"),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    collaboration_letter = forms.BooleanField(
        label="We have a letter of collaboration with the people who made the dataset",
        required=False,
    )
    agrees_to = forms.MultipleChoiceField(
        label="What do you agree to?",
        choices=[(code, f"We {text}") for code, text in words.AGREEMENTS.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    sensitive = forms.MultipleChoiceField(
        label="Does the research touch any of these?",
        choices=list(words.SENSITIVE.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    regions = forms.CharField(
        label="Regions",
        help_text="Gene symbols, regions such as chr2:38814-46505, or BED "
        "lines. Leave empty for the whole dataset.",
        required=False,
        max_length=1_000_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )
    justification = forms.CharField(
        label="Why do you need these data?",
        help_text="A few sentences for the review board.",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    @classmethod
    def initial_of(cls, request: AccessRequest) -> dict[str, Any]:
        """Return what the form shows for a request that was begun."""
        stated = request.purpose
        graph = diseases.graph()
        names = countries.names()
        commercial = stated.get("commercial")
        return {
            **stated,
            "diseases": "\n".join(
                graph.label(one) or one for one in stated.get("diseases", [])
            ),
            "countries": ", ".join(
                names.get(code, code) for code in stated.get("countries", [])
            ),
            "commercial": "" if commercial is None else ("yes" if commercial else "no"),
            "regions": request.regions_text,
            "justification": request.justification,
        }

    def clean_diseases(self) -> list[str]:
        """Return MONDO ids; a name that is not one is answered with what is alike."""
        graph = diseases.graph()
        found = []
        for line in self.cleaned_data["diseases"].splitlines():
            text = " ".join(line.split())
            if not text:
                continue
            living = graph.resolve(text) or _exact(graph, text)
            if living is None:
                near = [label for _, label in graph.search(text, _SUGGESTED)]
                hint = f" Did you mean {', '.join(near)}?" if near else ""
                raise ValidationError(f"“{text}” is not a known disease.{hint}")
            found.append(living)
        return sorted(set(found))

    def clean_countries(self) -> list[str]:
        """Return ISO 3166 codes."""
        by_name = {name.lower(): code for code, name in countries.names().items()}
        found = set()
        for part in self.cleaned_data["countries"].replace(";", ",").split(","):
            text = part.strip()
            if not text:
                continue
            code = text.upper() if text.upper() in countries.names() else None
            code = code or by_name.get(text.lower())
            if code is None:
                raise ValidationError(
                    f"“{text}” is not a country; write it in English."
                )
            found.add(code)
        return sorted(found)

    def purpose(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return the purpose, in the schema of `consent.policy`, without blanks.

        What the form does not ask and the API takes is kept from `before`.
        """
        given = self.cleaned_data
        stated: dict[str, Any] = {
            name: before[name] for name in _UNASKED if name in before
        }
        stated |= {
            name: given[name]
            for name in (
                "research_types",
                "diseases",
                "organisation",
                "countries",
                "ethics_approval",
                "agrees_to",
                "sensitive",
            )
            if given[name]
        }
        if given["commercial"]:
            stated["commercial"] = given["commercial"] == "yes"
        if given["collaboration_letter"]:
            stated["collaboration_letter"] = True
        return stated


class ReleaseForm(forms.Form):
    """To which of the user's keys a release is encrypted."""

    key = forms.ModelChoiceField(
        label="Encrypt to the key",
        queryset=ResearcherKey.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, keys: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["key"]
        if not isinstance(field, forms.ModelChoiceField):
            raise AssertionError("a key is chosen from rows")
        field.queryset = keys
        only: UUID | None = keys.values_list("pk", flat=True).first()
        field.initial = only


def _exact(graph: diseases.DiseaseGraph, text: str) -> str | None:
    """Return the disease whose own name is `text`."""
    for found, label in graph.search(text, 1):
        if label.lower() == text.lower():
            return found
    return None

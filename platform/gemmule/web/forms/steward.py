"""Forms of the stewards' pages: describe a dataset, upload, map, sign."""

import re
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from gemmule.catalog.descriptions import Description
from gemmule.catalog.models import Build, Dataset


class DescriptionForm(forms.Form):
    title = forms.CharField(
        label="Title",
        max_length=200,
        help_text="As researchers shall read it in the catalogue.",
    )
    summary = forms.CharField(
        label="What it holds",
        max_length=4000,
        help_text=(
            "Who was asked, how the samples were sequenced and called, and which part "
            "of the genome is covered. Everyone can read this."
        ),
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    build = forms.ChoiceField(
        label="Genome build",
        choices=Build.choices,
        help_text="The reference that the coordinates of the files count on.",
        widget=forms.RadioSelect,
    )
    barred_countries = forms.CharField(
        label="Countries that must not receive it",
        required=False,
        max_length=400,
        help_text="Codes of two letters, such as SE or US. Leave empty if none.",
    )
    filter_is_cohort_independent = forms.BooleanField(
        label="The FILTER column says nothing about the group of donors",
        required=False,
        help_text=(
            "Only if every filter looks at one sample at a time. If you do not tick "
            "this, filters are left out of every release."
        ),
    )

    @classmethod
    def initial_of(cls, dataset: Dataset) -> dict[str, Any]:
        """Return what the form shows for a dataset that is already described."""
        return {
            "title": dataset.title,
            "summary": dataset.summary,
            "build": dataset.build,
            "barred_countries": " ".join(dataset.barred_countries),
            "filter_is_cohort_independent": dataset.filter_is_cohort_independent,
        }

    def description(self) -> Description:
        """Return what was typed as the catalogue takes it."""
        typed = self.cleaned_data
        codes = re.split(r"[\s,;]+", typed["barred_countries"].upper())
        return Description(
            title=typed["title"],
            summary=typed["summary"],
            build=typed["build"],
            barred_countries=[code for code in codes if code],
            filter_is_cohort_independent=typed["filter_is_cohort_independent"],
        )


class _ManyFiles(forms.ClearableFileInput):
    """A chooser that takes several files at once."""

    allow_multiple_selected = True


class _ManyFilesField(forms.FileField):
    """Each of the chosen files, in the order in which they were sent."""

    widget = _ManyFiles

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return a list of the files; one alone is a list of one."""
        # None chosen is refused like one that is missing.
        chosen = data if isinstance(data, list) and data else [data or None]
        return [super(_ManyFilesField, self).clean(one, initial) for one in chosen]


class UploadForm(forms.Form):
    vcf_files = _ManyFilesField(
        label="VCF files",
        help_text=(
            "VCF or BCF, plain, gzip or BGZF; one file, or one per chromosome, of "
            "the same samples. Indexes are not needed: we make our own."
        ),
    )

    def chosen(self) -> "list[UploadedFile[Any]]":
        """Return the files to take in."""
        return list(self.cleaned_data["vcf_files"])


class SampleMapForm(forms.Form):
    sample_map = forms.FileField(
        label="Sample map",
        help_text="A CSV file with the header line sample,donor.",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def data_of_map(self) -> bytes:
        """Return the bytes of the map."""
        sent: UploadedFile[Any] = self.cleaned_data["sample_map"]
        return bytes(sent.read())


class ConfirmMapForm(forms.Form):
    map_sha256 = forms.RegexField(
        r"\A[0-9a-f]{64}\Z",
        widget=forms.HiddenInput,
        error_messages={
            "required": "This page is incomplete: reload it and look at the map again.",
            "invalid": "This page is incomplete: reload it and look at the map again.",
        },
    )
    has_compared = forms.BooleanField(
        label="I compared the map with the list of the clinic or the biobank",
        error_messages={"required": "Tick this when you have compared the map."},
    )


class SignatureForm(forms.Form):
    password = forms.CharField(
        label="Your password",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        strip=False,
    )

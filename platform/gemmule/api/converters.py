"""What may stand in an address: accessions and file names, and nothing else.

A text with a NUL would reach the database, which refuses it as a defect.
"""

from django.urls import register_converter
from django.urls.converters import StringConverter


class AccessionConverter(StringConverter):
    """An accession, or what looks like one."""

    regex = "[0-9A-Za-z]{1,20}"


class FileNameConverter(StringConverter):
    """The name of a file of a release."""

    regex = r"[\w.-]{1,100}"


def register() -> None:
    """Let addresses say `<accession:…>` and `<filename:…>`."""
    register_converter(AccessionConverter, "accession")
    register_converter(FileNameConverter, "filename")

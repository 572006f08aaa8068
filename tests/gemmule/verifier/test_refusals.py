"""Each reason of a refusal has words, a code, and a line in the documentation."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gemmule.verifier import errors, refusals
from ledger import errors as ledger_errors

PAGE = (Path(__file__).parents[3] / "docs" / "verify.md").read_text()


def below(root: type[Exception]) -> Iterator[type[Exception]]:
    for each in root.__subclasses__():
        yield each
        yield from below(each)


# Those that only gather others are never raised themselves.
GATHERING = {errors.FileRefused, errors.DossierRefused}
REASONS = [one for one in below(errors.ReleaseRefused) if one not in GATHERING]


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.__name__)
def test_every_refusal_of_a_release_is_explained(reason: type[Exception]) -> None:
    refusal = refusals.of("release", reason("something"))
    assert refusal.ok is False
    words = refusal.words.removesuffix(": something")
    assert f"| {words} | `{refusal.error}` |" in PAGE


@pytest.mark.parametrize("subject", ["receipt", "ledger"])
@pytest.mark.parametrize(
    "reason",
    [*below(ledger_errors.VerificationError)],
    ids=lambda reason: reason.__name__,
)
def test_every_refusal_of_a_receipt_or_a_ledger_is_explained(
    subject: str, reason: type[Exception]
) -> None:
    error = (
        reason("something", seq=1)  # A replay tells at which entry it ended.
        if issubclass(reason, ledger_errors.ReplayError)
        else reason("something")
    )
    refusal = refusals.of(subject, error)
    assert refusal.ok is False
    assert f"| {refusal.words.removesuffix(': something')} |" in PAGE


@pytest.mark.parametrize("reason", [errors.RecordRefused, errors.ActMissing])
def test_every_refusal_of_a_record_is_explained(reason: type[Exception]) -> None:
    refusal = refusals.of("donor-record", reason("something"))
    assert refusal.ok is False
    assert f"| {refusal.words.removesuffix(': something')} |" in PAGE

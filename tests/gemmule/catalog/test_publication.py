"""A dataset is published once its genome build and its map are vouched for."""

import base64
from datetime import datetime
from typing import Any

import pytest

import gemmule.accounts.services
import ledger.selectors
from gemmule.accounts.errors import SignatureRefused
from gemmule.accounts.models import User
from gemmule.catalog import selectors, services, states
from gemmule.catalog.errors import DatasetStateError
from gemmule.catalog.models import DataFile, Dataset
from gemmule.catalog.selectors import BuildEvidence
from gemmule.catalog.states import Stage
from gemmule.demo import cast
from tests.gemmule.catalog.acts import ACTS
from tests.gemmule.catalog.callsets import NAMES, Check, Upload, vcf

pytestmark = pytest.mark.django_db

# --- genome build ------------------------------------------------------------


def test_contig_lengths_prove_the_build(accepted: DataFile) -> None:
    assert selectors.build_evidence(accepted.dataset) is BuildEvidence.LENGTHS


def test_without_lengths_a_signature_stands_in(
    sven: User, dataset: Dataset, upload: Upload, check: Check, now: datetime
) -> None:
    assert selectors.build_evidence(dataset) is None
    check(upload(vcf(length=None)))
    assert selectors.build_evidence(dataset) is None
    stated = services.state_build(
        user=sven, dataset=dataset, password=cast.PASSWORD, now=now
    )
    assert selectors.build_evidence(stated) is BuildEvidence.STATEMENT
    assert stated.build_statement is not None
    assert stated.build_statement["user"] == sven.pk


def test_wrong_password_signs_nothing(
    sven: User, dataset: Dataset, upload: Upload, check: Check, now: datetime
) -> None:
    check(upload(vcf(length=None)))
    with pytest.raises(SignatureRefused):
        services.state_build(user=sven, dataset=dataset, password="wrong", now=now)
    dataset.refresh_from_db()
    assert dataset.build_statement is None


def test_signature_for_files_that_changed_meanwhile_is_refused(
    sven: User,
    dataset: Dataset,
    upload: Upload,
    check: Check,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check(upload(vcf(length=None)))
    sign = gemmule.accounts.services.sign

    def meanwhile(**signed: Any) -> Any:
        check(upload(vcf(length=None).replace(b"rs1", b"rs2")))
        return sign(**signed)

    monkeypatch.setattr(gemmule.accounts.services, "sign", meanwhile)
    with pytest.raises(DatasetStateError, match="files changed while you signed"):
        services.state_build(
            user=sven, dataset=dataset, password=cast.PASSWORD, now=now
        )
    dataset.refresh_from_db()
    assert dataset.build_statement is None


def test_nobody_signs_for_what_lengths_prove(
    sven: User, accepted: DataFile, now: datetime
) -> None:
    with pytest.raises(DatasetStateError, match="nobody needs to sign"):
        services.state_build(
            user=sven, dataset=accepted.dataset, password=cast.PASSWORD, now=now
        )


def test_statement_needs_a_file(sven: User, dataset: Dataset, now: datetime) -> None:
    with pytest.raises(DatasetStateError, match="no accepted file"):
        services.state_build(
            user=sven, dataset=dataset, password=cast.PASSWORD, now=now
        )


def test_change_of_files_voids_the_statement(
    sven: User, dataset: Dataset, upload: Upload, check: Check, now: datetime
) -> None:
    check(upload(vcf(length=None)))
    services.state_build(user=sven, dataset=dataset, password=cast.PASSWORD, now=now)
    check(upload(vcf(length=None).replace(b"rs1", b"rs2")))
    dataset.refresh_from_db()
    assert selectors.build_evidence(dataset) is None
    services.state_build(user=sven, dataset=dataset, password=cast.PASSWORD, now=now)
    services.remove_file(user=sven, dataset=dataset, number=2)
    dataset.refresh_from_db()
    assert selectors.build_evidence(dataset) is None


# --- publication -------------------------------------------------------------


def test_published_dataset_is_on_the_ledger(
    sven: User, confirmed: Dataset, accepted: DataFile, now: datetime
) -> None:
    published = services.publish_dataset(user=sven, dataset=confirmed, now=now)
    assert published in selectors.published()
    assert selectors.published_dataset(published.accession) == published
    assert published.event is not None
    entry = ledger.selectors.entry(published.event)
    assert entry.type == "data.registered"
    assert entry.pub == {"dataset": published.accession, "build": "GRCh37"}
    body = ledger.selectors.open_body(published.event)
    assert body is not None
    assert body["files"][0]["sha256_source"] == accepted.sha256_source
    # Salted, so that no list of names and ids leads to it.
    assert len(base64.b64decode(body["samples_root"])) == 32
    assert published.map_sha256 not in str(body)
    assert body["build_evidence"] == "lengths"


def test_published_dataset_does_not_change(
    sven: User, confirmed: Dataset, now: datetime
) -> None:
    published = services.publish_dataset(user=sven, dataset=confirmed, now=now)
    for act in states.ACTS[Stage.OPEN] | states.ACTS[Stage.CONFIRMED]:
        with pytest.raises(DatasetStateError, match="it is published"):
            ACTS[act](sven, published, now)


def test_unconfirmed_dataset_is_not_published(
    sven: User, mapped: Dataset, now: datetime
) -> None:
    with pytest.raises(DatasetStateError, match="not confirmed yet"):
        services.publish_dataset(user=sven, dataset=mapped, now=now)
    assert not selectors.published().exists()


def test_unproved_build_is_not_published(
    sven: User,
    signe: User,
    dataset: Dataset,
    upload: Upload,
    check: Check,
    sample_map: bytes,
    now: datetime,
) -> None:
    check(upload(vcf(length=None)))
    services.upload_sample_map(user=sven, dataset=dataset, data=sample_map, now=now)
    dataset.refresh_from_db()
    services.confirm_sample_map(
        user=signe, dataset=dataset, map_sha256=dataset.map_sha256, now=now
    )
    with pytest.raises(DatasetStateError, match="a steward must sign"):
        services.publish_dataset(user=sven, dataset=dataset, now=now)
    services.state_build(user=signe, dataset=dataset, password=cast.PASSWORD, now=now)
    published = services.publish_dataset(user=sven, dataset=dataset, now=now)
    assert published.event is not None
    body = ledger.selectors.open_body(published.event)
    assert body is not None
    assert body["build_evidence"] == "statement"
    assert body["build_statement"]["user"] == signe.pk


def test_dataset_of_nobody_is_not_published(
    sven: User, signe: User, accepted: DataFile, now: datetime
) -> None:
    text = "sample,donor\n" + "".join(f"{name},\n" for name in NAMES)
    dataset = services.upload_sample_map(
        user=sven, dataset=accepted.dataset, data=text.encode(), now=now
    )
    services.confirm_sample_map(
        user=signe, dataset=dataset, map_sha256=dataset.map_sha256, now=now
    )
    with pytest.raises(DatasetStateError, match="no sample of the dataset has a donor"):
        services.publish_dataset(user=sven, dataset=dataset, now=now)

"""The demo's two datasets: real call sets, mapped to donors whose wishes vary.

Each is taken in, mapped, confirmed and published by the stewards of the cast through
the services that their pages call.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from django.db import transaction
from django.utils import timezone

import consent.services
import gemmule.catalog.intake
import gemmule.catalog.selectors
import gemmule.catalog.services
from consent.models import Donor, FormVersion
from consent.terms import Terms
from gemmule.accounts.models import User
from gemmule.catalog import samplemap
from gemmule.catalog.descriptions import Description
from gemmule.catalog.models import DataFile, DataFileState, Dataset
from gemmule.demo import cast
from gemmule.demo.population import Wish, wishes


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSet:
    """A call set that ships with the demo, and what its stewards say of it."""

    filename: str
    title: str
    summary: str
    seed: str


PILOT = CallSet(
    filename="1kg_629_samples.vcf.gz",
    title="1000 Genomes pilot, start of chromosome 2",
    summary="Genotype calls of 629 people from fourteen populations, low-coverage "
    "sequencing, chromosome 2 from 10,038 to 40,424. The people are those of the 1000 "
    "Genomes pilot; their consents here are made up for the demo.",
    seed="pilot",
)
EXOMES = CallSet(
    filename="multipleChromosomes.vcf.gz",
    title="Exome calls under other chromosome names",
    summary="Genotype calls of 100 people at 346 sites, called jointly with GATK. A "
    "test file: the calls are of chromosome 20 and stand under the names 1 to 22, so "
    "that genes and rs numbers do not fit. Consents are made up for the demo.",
    seed="exomes",
)


def publish(
    call_set: CallSet,
    *,
    form: FormVersion,
    first: User,
    second: User,
    members: Sequence[Donor],
    now: datetime,
) -> Dataset:
    """Return the published dataset; `members` take the first samples, others follow.

    Donors made here decide by `population.wishes`; who was passed in decides herself.
    """
    catalog = gemmule.catalog.services
    title = call_set.title
    dataset = Dataset.objects.filter(title=title).first() or catalog.register_dataset(
        user=first,
        description=Description(title=title, summary=call_set.summary, build="GRCh37"),
        now=now,
    )
    if dataset.published_at is not None:
        return dataset
    names = _taken_in(call_set, dataset, first, now).sample_names
    if not dataset.map_sha256:
        made = consent.services.register_donors(
            count=len(names) - len(members), now=now
        )
        chosen = wishes(seed=call_set.seed, count=len(made))
        with transaction.atomic():
            for donor, wish in zip(made, chosen, strict=True):
                _decide(donor, wish, form, now)
        pairs = zip(names, [*members, *made], strict=True)
        table = samplemap.write([(name, donor.pk) for name, donor in pairs])
        dataset = catalog.upload_sample_map(
            user=first, dataset=dataset, data=table.encode(), now=now
        )
    if dataset.map_confirmed_at is None:
        dataset = catalog.confirm_sample_map(
            user=second, dataset=dataset, map_sha256=dataset.map_sha256, now=now
        )
    if gemmule.catalog.selectors.build_evidence(dataset) is None:
        dataset = catalog.state_build(
            user=first, dataset=dataset, password=cast.PASSWORD, now=now
        )
    return catalog.publish_dataset(user=first, dataset=dataset, now=now)


def _taken_in(
    call_set: CallSet, dataset: Dataset, steward: User, now: datetime
) -> DataFile:
    file = dataset.files.first()
    if file is None:
        source = files("gemmule.demo") / "data" / call_set.filename
        with source.open("rb") as stream:
            file = gemmule.catalog.services.upload_file(
                user=steward,
                dataset=dataset,
                stream=stream,
                original_name=call_set.filename,
                now=now,
            )
    gemmule.catalog.intake.check(file.pk, clock=timezone.now)
    file.refresh_from_db()
    if file.state != DataFileState.ACCEPTED:
        raise AssertionError(f"{call_set.filename} was not accepted: {file.refusal}")
    return file


def _decide(donor: Donor, wish: Wish, form: FormVersion, now: datetime) -> None:
    if wish.terms is None:
        consent.services.refuse(donor=donor, form=form, event=uuid.uuid4(), now=now)
        return
    consent.services.give(
        donor=donor,
        form=form,
        terms=Terms.from_json(dict(wish.terms)),
        withheld=wish.withheld,
        discovery=wish.discovery,
        language=form.language,
        evidence={"method": "demo"},
        event=uuid.uuid4(),
        now=now,
    )
    if wish.withdraws:
        consent.services.withdraw(donor=donor, event=uuid.uuid4(), now=now)

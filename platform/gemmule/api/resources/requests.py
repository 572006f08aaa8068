"""/requests/: requests for data, their verdict and their way to the IRB."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

import gemmule.catalog.selectors
from gemmule.access import selectors, services
from gemmule.access.coverage import RoundedVerdict, coverage, rounded
from gemmule.access.errors import RequestInvalid
from gemmule.access.expectation import expectation
from gemmule.access.models import AccessRequest, Project
from gemmule.access.permissions import IRB_ROLES, READER_ROLES, is_member
from gemmule.access.purposes import STATED
from gemmule.accounts.errors import NotFound
from gemmule.accounts.models import Role, User
from gemmule.accounts.permissions import check_role, has_role
from gemmule.api.errors import WrongState
from gemmule.api.idempotency import once
from gemmule.api.purpose_field import PurposeField
from gemmule.api.schema import IDEMPOTENCY_KEY, PAGING, READING, WRITING, answers
from gemmule.api.serializing import ListedFieldsOnly, Nothing
from gemmule.api.views import GemmuleView
from gemmule.catalog.megabases import Span, source_records
from gemmule.catalog.models import Dataset


class RequestChangeSerializer(ListedFieldsOnly):
    """What may be changed while a request is a draft or was sent back."""

    purpose = PurposeField(required=False)
    regions = serializers.CharField(
        source="regions_text",
        required=False,
        allow_blank=True,
        max_length=1_000_000,
        help_text="Gene symbols, regions (17:5-9) or BED lines; empty for all.",
    )
    justification = serializers.CharField(
        required=False, allow_blank=True, max_length=10_000
    )


class RequestSerializer(RequestChangeSerializer):
    """A request for one dataset, by one project, for one purpose."""

    accession = serializers.CharField(read_only=True)
    project = serializers.CharField(source="project.accession", max_length=20)
    dataset = serializers.CharField(source="dataset.accession", max_length=20)
    state = serializers.ChoiceField(
        choices=AccessRequest._meta.get_field("state").choices or [], read_only=True
    )
    submitted_at = serializers.DateTimeField(read_only=True)
    decided_at = serializers.DateTimeField(read_only=True)
    expires_on = serializers.DateField(read_only=True)
    event_submitted = serializers.UUIDField(
        read_only=True, help_text="Of its ledger entry, for `/receipts/{event}/`."
    )
    event_decided = serializers.UUIDField(
        read_only=True, help_text="Of its ledger entry, for `/receipts/{event}/`."
    )


class ClauseSerializer(serializers.Serializer[tuple[str, str, str, str]]):
    """A clause that stands in the way of some donors."""

    code = serializers.CharField()
    verdict = serializers.CharField()
    reason = serializers.CharField()
    donors = serializers.CharField(help_text='rounded to 10, "< 20" below 20')


class RegionSerializer(serializers.Serializer[Span]):
    """Bases start_0 <= base < end of a chromosome, counted from 0."""

    contig = serializers.CharField()
    start_0 = serializers.IntegerField()
    end = serializers.IntegerField()


class VerdictSerializer(serializers.Serializer[RoundedVerdict]):
    """The machine's verdict in rounded numbers, and what a release may hold."""

    total = serializers.CharField()
    permitted = serializers.CharField()
    review = serializers.CharField()
    clauses = ClauseSerializer(many=True)
    regions_outside = RegionSerializer(
        many=True, help_text="Requested regions in which the dataset holds nothing."
    )
    is_empty = serializers.BooleanField(
        help_text="True when a release would hold no record, whatever donors permit."
    )
    records_expected = serializers.IntegerField(
        help_text="An estimate to two digits: requested bases times a public density "
        "of variants; exomes and arrays hold fewer."
    )
    source_records = serializers.IntegerField(
        required=False,
        help_text="Only for the IRB: number of records in the megabases that the "
        "regions touch, counted over all donors of the dataset.",
    )


class RequestList(GemmuleView):
    """The user's requests."""

    roles = (Role.RESEARCHER, *READER_ROLES)

    @extend_schema(
        operation_id="requests_list",
        parameters=PAGING,
        responses=answers({200: RequestSerializer(many=True)}, 400, *READING),
    )
    def get(self, request: Request) -> Response:
        """List the requests the user may read, newest first."""
        return self.page(selectors.requests_for(self.user), RequestSerializer)

    @extend_schema(
        operation_id="requests_create",
        parameters=[IDEMPOTENCY_KEY],
        request=RequestSerializer,
        responses=answers({201: RequestSerializer}, 422, *WRITING),
    )
    def post(self, request: Request) -> Response:
        """Draft a request of one of the user's projects."""
        check_role(self.user, Role.RESEARCHER)
        fields = RequestSerializer(data=request.data)
        fields.is_valid(raise_exception=True)
        given = fields.validated_data

        def act() -> tuple[int, dict[str, Any]]:
            made = services.draft_request(
                user=self.user,
                project=_project(self.user, given.pop("project")["accession"]),
                dataset=_dataset(given.pop("dataset")["accession"]),
                now=self.now,
            )
            with _fields_named():
                made = services.update_draft(user=self.user, request=made, **given)
            return status.HTTP_201_CREATED, dict(RequestSerializer(made).data)

        return once(request, self.user, act)


class RequestDetail(GemmuleView):
    """One request."""

    roles = (Role.RESEARCHER, *READER_ROLES)

    @extend_schema(
        operation_id="requests_retrieve",
        responses=answers({200: RequestSerializer}, 404, *READING),
    )
    def get(self, request: Request, accession: str) -> Response:
        """Show one request and where it stands."""
        return Response(RequestSerializer(_request(self.user, accession)).data)

    @extend_schema(
        operation_id="requests_update",
        request=RequestChangeSerializer,
        responses=answers({200: RequestSerializer}, 404, 409, *WRITING),
    )
    def patch(self, request: Request, accession: str) -> Response:
        """Change a draft, or a request that was sent back; the rest stays."""
        check_role(self.user, Role.RESEARCHER)
        found = _request(self.user, accession)
        fields = RequestChangeSerializer(data=request.data)
        fields.is_valid(raise_exception=True)
        with _fields_named():
            changed = services.update_draft(
                user=self.user, request=found, **fields.validated_data
            )
        return Response(RequestSerializer(changed).data)


class RequestVerdict(GemmuleView):
    """What the machine says of a request today."""

    roles = (Role.RESEARCHER, *READER_ROLES)

    @extend_schema(
        operation_id="requests_verdict",
        responses=answers({200: VerdictSerializer}, 404, 409, *READING),
    )
    def get(self, request: Request, accession: str) -> Response:
        """Show how many donors allow this request, and which clauses stand in the way.

        Numbers are rounded to 10; below 20 they read "< 20". Regions in which the
        dataset holds nothing are named.
        """
        asked = _request(self.user, accession)
        if not (asked.purpose.get("research_types") or asked.purpose.get("diseases")):
            raise WrongState(
                f"request {accession} does not say yet what the research is; "
                "set purpose.research_types or purpose.diseases first"
            )
        found = rounded(coverage(asked, self.now.date()))
        expected = expectation(asked)
        exact = {}
        if has_role(self.user, *IRB_ROLES) and not is_member(self.user, asked.project):
            exact["source_records"] = source_records(asked.dataset, asked.regions)
        return Response(
            {
                "total": found.total,
                "permitted": found.permitted,
                "review": found.review,
                "clauses": [
                    {"code": code, "verdict": verdict, "reason": why, "donors": donors}
                    for code, verdict, why, donors in found.clauses
                ],
                "regions_outside": [
                    {"contig": contig, "start_0": start_0, "end": end}
                    for contig, start_0, end in expected.outside
                ],
                "is_empty": expected.is_empty,
                "records_expected": expected.records,
                **exact,
            }
        )


class RequestSubmission(GemmuleView):
    """Handing a request to the IRB."""

    roles = (Role.RESEARCHER,)

    @extend_schema(
        operation_id="requests_submit",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=answers({200: RequestSerializer}, 404, 409, 422, *WRITING),
    )
    def post(self, request: Request, accession: str) -> Response:
        """Submit a complete request."""
        found = _request(self.user, accession)
        Nothing(data=request.data).is_valid(raise_exception=True)

        def act() -> tuple[int, dict[str, Any]]:
            with _fields_named():
                submitted = services.submit(user=self.user, request=found, now=self.now)
            return status.HTTP_200_OK, dict(RequestSerializer(submitted).data)

        return once(request, self.user, act)


@contextmanager
def _fields_named() -> Iterator[None]:
    """Name a field at fault as the API does, not as the service."""
    try:
        yield
    except RequestInvalid as error:
        field = error.field
        if field == "regions_text":
            field = "regions"
        elif field in STATED:
            field = f"purpose.{field}"
        raise RequestInvalid(
            str(error), field=field, problems=error.problems
        ) from error


def _request(user: User, accession: str) -> AccessRequest:
    found = selectors.requests_for(user).filter(accession=accession).first()
    if found is None:
        raise NotFound(f"there is no request {accession} for you")
    return found


def _project(user: User, accession: str) -> Project:
    project = selectors.projects_of(user).filter(accession=accession).first()
    if project is None:
        raise RequestInvalid(
            f"you have no project {accession}; make one first", field="project"
        )
    return project


def _dataset(accession: str) -> Dataset:
    dataset = gemmule.catalog.selectors.published().filter(accession=accession).first()
    if dataset is None:
        raise RequestInvalid(
            f"there is no published dataset {accession}", field="dataset"
        )
    return dataset

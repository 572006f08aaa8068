"""/ledger/: checkpoint, policy and tiles, as files that anybody's tools can read.

Formats and headers are those of C2SP tlog-tiles and tlog-policy: every hash is
public, what the entries say is for auditors and the IRB. The pages of the ledger
are in `gemmule.web`.
"""

import hashlib

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

import ledger.selectors
from gemmule.access.permissions import READER_ROLES
from gemmule.accounts.authentication import TokenAuthentication
from gemmule.accounts.errors import NotFound
from gemmule.api.schema import READING, answers
from gemmule.api.views import GemmuleView, OneFormat
from ledger.errors import FileNotServed, TileInvalid
from ledger.tiles import TileStore
from ledger.tlog.tile import ENTRIES, Tile

_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
# A tile never changes: with more entries another one, of another name, takes over.
_FOR_EVER = "max-age=31536000, immutable"
_SECONDS = "max-age=2"


class PublicView(APIView):
    """A view of what anybody may read, from any site: it looks at no session."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    content_negotiation_class = OneFormat
    metadata_class = None


class Checkpoint(PublicView):
    """The last published checkpoint."""

    @extend_schema(
        operation_id="ledger_checkpoint",
        responses=answers(
            {(200, "text/plain"): OpenApiResponse(OpenApiTypes.STR)}, 404
        ),
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Fetch the last checkpoint, a signed note (C2SP tlog-checkpoint)."""
        note = TileStore(settings.LEDGER_PUBLIC_DIR).read_checkpoint()
        if note is None:
            raise NotFound("the ledger has no checkpoint yet")
        return _public(request, note, _TEXT, _SECONDS)


class Policy(PublicView):
    """Whose signatures a checkpoint must carry."""

    @extend_schema(
        operation_id="ledger_policy",
        responses=answers({(200, "text/plain"): OpenApiResponse(OpenApiTypes.STR)}),
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Fetch the policy (C2SP tlog-policy) by which receipts are checked.

        Keep your own copy: who only asks the ledger for it trusts the ledger.
        """
        text = ledger.selectors.policy().text
        # Names of witnesses may be octets of no encoding.
        octets = text.encode("utf-8", "surrogateescape")
        return _public(request, octets, _TEXT, _SECONDS)


class HashTile(PublicView):
    """Hashes of the tree, 256 of a level at most."""

    @extend_schema(
        operation_id="ledger_tile",
        responses=answers({(200, _BYTES): OpenApiResponse(OpenApiTypes.BINARY)}, 404),
    )
    def get(self, request: Request, tile: str) -> HttpResponseBase:
        """Fetch a tile, full or partial, `<level>/<index>[.p/<width>]`."""
        found = _read(tile, is_bundle=False)
        return _public(request, found, _BYTES, _FOR_EVER)


class EntryBundle(GemmuleView):
    """Entries as they stand in the log, 256 at most."""

    authentication_classes = (TokenAuthentication, SessionAuthentication)
    roles = READER_ROLES

    @extend_schema(
        operation_id="ledger_entries",
        # A session does as well, for who looks at it in a browser.
        auth=[{"knoxApiToken": []}],  # type: ignore[list-item]  # the stubs know names alone
        responses=answers(
            {(200, _BYTES): OpenApiResponse(OpenApiTypes.BINARY)}, 404, *READING
        ),
    )
    def get(self, request: Request, tile: str) -> HttpResponseBase:
        """Fetch an entry bundle, full or partial, `<index>[.p/<width>]`."""
        found = _read(f"entries/{tile}", is_bundle=True)
        return _answer(request, found, _BYTES, f"private, {_FOR_EVER}")


def _read(name: str, *, is_bundle: bool) -> bytes:
    """Return a tile by its name below `tile/`; raises NotFound.

    The name is parsed and written anew, so that none leads out of the folder.
    """
    try:
        tile = Tile.from_path(f"tile/{name}")
        if (tile.level == ENTRIES) is not is_bundle:
            raise NotFound("the ledger has no such tile")
        return TileStore(settings.LEDGER_PUBLIC_DIR).read(tile)
    except (TileInvalid, FileNotServed):
        raise NotFound("the ledger has no such tile") from None


def _public(
    request: Request, content: bytes, content_type: str, caching: str
) -> HttpResponseBase:
    answer = _answer(request, content, content_type, f"public, {caching}")
    # Pages of other sites may verify us in their readers' browsers.
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


def _answer(
    request: Request, content: bytes, content_type: str, caching: str
) -> HttpResponseBase:
    """Return the content, or 304 to whoever has it already."""
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    whole = HttpResponse(
        content,
        content_type=content_type,
        headers={"ETag": etag, "Cache-Control": caching},
    )
    return get_conditional_response(request, etag=etag, response=whole) or whole

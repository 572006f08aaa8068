"""The page that shows the API to people: Swagger UI under the strict CSP."""

from csp.decorators import csp_update
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI from our own static files, without inline style."""

    template_name = "api/docs.html"
    title = "Gemmule API"
    url_name = "api:schema"
    permission_classes = (AllowAny,)
    authentication_classes = ()


# Its style sheet draws arrows and locks from data: addresses. An image runs nothing,
# so this page alone may show them; scripts and styles stay our own files.
page = csp_update({"img-src": ["data:"]})(DocsView.as_view())

"""The page that shows the API to people: Swagger UI under the strict CSP."""

from drf_spectacular.views import SpectacularSwaggerSplitView


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI from our own static files, without inline style."""

    template_name = "api/docs.html"
    title = "Gemmule API"

"""Every address of the site; each audience keeps its own list."""

from django.urls import include, path

urlpatterns = [
    path("", include("gemmule.web.urls.public")),
    path("", include("gemmule.web.urls.ledger")),
    path("ledger/", include("gemmule.api.ledger_urls")),
    path("", include("gemmule.web.urls.account")),
    path("account/", include("allauth.urls")),
    path("", include("gemmule.web.urls.people")),
    path("", include("gemmule.web.urls.donor")),
    path("", include("gemmule.web.urls.researcher")),
    path("", include("gemmule.web.urls.irb")),
    path("", include("gemmule.web.urls.audit")),
    path("", include("gemmule.web.urls.steward")),
    path("api/v1/", include(("gemmule.api.urls", "api"))),
]

"""Addresses of the public pages."""

from django.urls import path

from gemmule.web import public
from gemmule.web.donor import erasing

urlpatterns = [
    path("", public.landing, name="landing"),
    path("how-it-works/", public.how_it_works, name="how_it_works"),
    path("datasets/", public.dataset_list, name="datasets"),
    path("datasets/<str:accession>/", public.dataset, name="dataset"),
    # Whom it was about has no account to sign in to any more.
    path("erased/<uuid:erasure_id>/", erasing.erased, name="erased"),
]

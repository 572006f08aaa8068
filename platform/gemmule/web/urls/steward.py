"""Addresses of the stewards' pages."""

from django.urls import path

from gemmule.web.steward import datasets, files, maps

_DATASET = "steward/datasets/<str:accession>/"

urlpatterns = [
    path("steward/", datasets.dataset_list, name="steward"),
    path("steward/datasets/new/", datasets.register, name="steward_register"),
    path(_DATASET, datasets.detail, name="steward_dataset"),
    path(f"{_DATASET}describe/", datasets.describe, name="steward_describe"),
    path(f"{_DATASET}files/", files.file_list, name="steward_files"),
    path(f"{_DATASET}files/<int:number>/", files.file_report, name="steward_file"),
    path(
        f"{_DATASET}files/<int:number>/remove/",
        files.file_remove,
        name="steward_file_remove",
    ),
    path(f"{_DATASET}build/", datasets.build, name="steward_build"),
    path(f"{_DATASET}map/", maps.sample_map, name="steward_map"),
    path(f"{_DATASET}map.csv", maps.sample_map_csv, name="steward_map_csv"),
    path(f"{_DATASET}donors/", maps.make_donors, name="steward_donors"),
    path(f"{_DATASET}confirm/", maps.confirm, name="steward_confirm"),
    path(f"{_DATASET}reopen/", datasets.reopen, name="steward_reopen"),
    path(f"{_DATASET}publish/", datasets.publish, name="steward_publish"),
]

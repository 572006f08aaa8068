"""Read from the manifests of existing releases how many samples and records they hold."""

import json

from django.db import migrations


def read_manifests(apps, schema_editor):
    """Fill the counts of every release that has a manifest, 100 rows at a time."""
    release_model = apps.get_model("releases", "Release")
    sealed = release_model.objects.filter(manifest__isnull=False, records=None)
    for release in sealed.only("manifest").iterator(chunk_size=100):
        body = json.loads(bytes(release.manifest))["manifest"]
        release_model.objects.filter(pk=release.pk).update(
            samples=body["samples"], records=body["records"]
        )


class Migration(migrations.Migration):
    """The counts stay when it is reversed: the columns go with the migration before."""

    dependencies = [("releases", "0007_release_samples_and_records")]

    operations = [migrations.RunPython(read_manifests, migrations.RunPython.noop)]

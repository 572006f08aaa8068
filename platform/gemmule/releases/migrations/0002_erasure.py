import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("releases", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="release",
            name="donors_erased",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="releasefile",
            name="path",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("builds", "Stopping builds that may hold the person"),
                            (
                                "sequence",
                                "Giving her last events their place in the log",
                            ),
                            ("key", "Destroying the key of her ledger entries"),
                            ("bodies", "Deleting what these entries say"),
                            ("files", "Deleting release files that hold her"),
                            ("stores", "Taking her genotypes out of the stores"),
                            ("rows", "Deleting her rows and her account"),
                            ("wipe", "Wiping what the databases have freed"),
                            ("done", "Done"),
                        ],
                        default="builds",
                        max_length=8,
                    ),
                ),
                ("donor", models.UUIDField(null=True, unique=True)),
                ("subject", models.UUIDField(null=True)),
                ("user", models.BigIntegerField(null=True)),
                (
                    "event",
                    models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
                ),
                ("fencing_token", models.PositiveIntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("asked_at", models.DateTimeField()),
                ("builds_stopped_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-asked_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("donor", None),
                                ("stage__in", ["wipe", "done"]),
                                ("subject", None),
                                ("user", None),
                            ),
                            models.Q(
                                models.Q(
                                    ("stage__in", ["wipe", "done"]), _negated=True
                                ),
                                ("donor__isnull", False),
                                ("subject__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="releases_erasure_ends_naming_nobody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at__isnull", False), ("stage", "done")),
                            models.Q(
                                models.Q(("stage", "done"), _negated=True),
                                ("done_at", None),
                            ),
                            _connector="OR",
                        ),
                        name="releases_erasure_done_has_its_time",
                    ),
                ],
            },
        ),
    ]

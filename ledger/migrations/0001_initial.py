from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Pending",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("event", models.UUIDField(unique=True)),
                ("type", models.CharField(max_length=40)),
                ("pub", models.JSONField()),
                ("commit", models.BinaryField(max_length=32)),
                ("accepted_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "pending entries",
            },
        ),
        migrations.CreateModel(
            name="Body",
            fields=[
                ("event", models.UUIDField(primary_key=True, serialize=False)),
                ("key_id", models.UUIDField(db_index=True, null=True)),
                ("subject_seq", models.IntegerField(null=True)),
                ("commit", models.BinaryField(max_length=32, null=True)),
                ("sealed", models.BinaryField(null=True)),
            ],
            options={
                "verbose_name_plural": "bodies",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("key_id", "subject_seq"),
                        name="ledger_body_subject_seq_counts_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("commit__isnull", False),
                                ("key_id__isnull", False),
                                ("sealed__isnull", False),
                            ),
                            models.Q(
                                ("commit__isnull", True),
                                ("key_id__isnull", True),
                                ("sealed__isnull", True),
                                ("subject_seq__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="ledger_body_is_whole_or_erased",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("subject_seq__isnull", True),
                            ("subject_seq__gte", 1),
                            _connector="OR",
                        ),
                        name="ledger_body_subject_seq_starts_at_one",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("size", models.BigIntegerField(primary_key=True, serialize=False)),
                ("root", models.BinaryField(max_length=32)),
                ("note", models.BinaryField()),
                ("frontier", models.BinaryField()),
                ("signed_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("size__gte", 1)),
                        name="ledger_checkpoint_covers_an_entry",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("event", models.UUIDField(unique=True)),
                ("data", models.BinaryField(max_length=8192)),
                ("leaf_hash", models.BinaryField(max_length=32)),
            ],
            options={
                "verbose_name_plural": "entries",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("seq__gte", 0)),
                        name="ledger_entry_seq_starts_at_zero",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Head",
            fields=[
                (
                    "id",
                    models.SmallIntegerField(
                        default=1, primary_key=True, serialize=False
                    ),
                ),
                ("size", models.BigIntegerField()),
                ("frontier", models.BinaryField()),
                ("last_leaf", models.BinaryField(max_length=32)),
                ("last_time", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="ledger_head_is_one_row"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="VaultKey",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("wrapped", models.BinaryField(null=True)),
                ("created_at", models.DateTimeField()),
                ("destroyed_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("destroyed_at__isnull", False),
                                ("wrapped__isnull", True),
                            ),
                            models.Q(
                                ("destroyed_at__isnull", True),
                                ("wrapped__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="ledger_vaultkey_is_kept_or_destroyed",
                    )
                ],
            },
        ),
    ]

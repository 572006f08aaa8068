from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_policy_and_witness")]

    operations = [
        migrations.CreateModel(
            name="Mention",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("event", models.UUIDField()),
                ("type", models.CharField(max_length=40)),
                ("digest", models.CharField(max_length=64)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["digest", "type"], name="ledger_mention_of_digest"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("event", "digest"), name="ledger_mention_is_made_once"
                    )
                ],
            },
        ),
    ]

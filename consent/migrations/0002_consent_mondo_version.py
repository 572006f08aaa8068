from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consent", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="consent",
            name="mondo_version",
            # The only release there was before the column.
            field=models.CharField(default="2026-05-05", max_length=10),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1)),
                name="consent_number_starts_at_one",
            ),
        ),
    ]

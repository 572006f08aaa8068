from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consent", "0002_consent_mondo_version")]

    operations = [
        migrations.AddField(
            model_name="donor",
            name="erased_at",
            field=models.DateTimeField(null=True),
        ),
    ]

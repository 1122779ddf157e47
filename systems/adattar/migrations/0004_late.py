"""Feeds that were made up for after their system was down are marked: states in them are not those of the day."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("adattar", "0003_statistics_in_the_register")]
    operations = [migrations.AddField(model_name="feed", name="late", field=models.BooleanField(default=False))]

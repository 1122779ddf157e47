"""An approved package is checked once more; one that only some systems wrote is called what it is."""

from django.db import migrations, models

STATES = [
    ("checking", "Ellenőrzés folyamatban"),
    ("faulty", "Hibás"),
    ("clean", "Átvehető"),
    ("approved", "Jóváhagyva, ismételt ellenőrzés folyamatban"),
    ("applying", "Átvétel folyamatban"),
    ("applied", "Átvéve"),
    ("partial", "Részben átvéve"),
    ("failed", "Az átvétel elmaradt"),
]
WRITTEN_IN_PART = """
UPDATE package SET state = 'partial'
  WHERE state = 'failed' AND EXISTS (SELECT FROM part WHERE part.package_id = package.id AND part.applied)
"""


class Migration(migrations.Migration):
    dependencies = [("migration", "0001_initial")]
    operations = [
        migrations.RemoveConstraint(model_name="package", name="content_taken_over_once"),
        migrations.AlterField(
            model_name="package",
            name="state",
            field=models.CharField(choices=STATES, default="checking", max_length=8),
        ),
        migrations.AddConstraint(
            model_name="package",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["approved", "applying", "applied", "partial"])),
                fields=("sha256",),
                name="content_taken_over_once",
            ),
        ),
        migrations.RunSQL(WRITTEN_IN_PART),
    ]

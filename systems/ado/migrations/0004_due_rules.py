"""Each tax's own due rule: the business tax after its return, what the office assesses in the tax year itself.

All of them are assumed: nobody compared them with the law. Assessments that exist keep their instalments.
"""

from django.db import migrations, models

RULES = """
DELETE FROM due_day WHERE tax_id = 'hipa';
INSERT INTO due_day (tax_id, month, day, share) VALUES ('hipa', 5, 31, 100);
UPDATE tax SET due_source = 'Bevallás és különbözet május 31-ig; a törvénnyel nem vetették össze';
UPDATE tax SET year_offset = 0, by_decision = true,
  due_source = 'Két egyenlő részlet, utólag a határozat után 15 nappal; a törvénnyel nem vetették össze'
  WHERE code IN ('epitmeny', 'telek')
"""


class Migration(migrations.Migration):
    dependencies = [("ado", "0003_statements")]
    operations = [
        migrations.AddField("tax", "year_offset", models.PositiveSmallIntegerField(default=1)),
        migrations.AddField("tax", "by_decision", models.BooleanField(default=False)),
        migrations.AddField("tax", "notice_days", models.PositiveSmallIntegerField(default=15)),
        migrations.AddField("tax", "due_source", models.CharField(verbose_name="forrás", max_length=200, default="")),
        migrations.AddField("tax", "due_status", models.CharField(max_length=10, default="assumed")),
        migrations.RunSQL(RULES),
    ]

"""What the agreement allows, as minutes of opening hours. No number of the real one is public: all are assumed."""

from django.db import migrations

SQL = """
INSERT INTO parameter (name, value, unit, source, status) VALUES
  ('repair_outage', 60, 'perc', 'sla.yaml: RTO', 'assumed'),
  ('repair_hindered', 480, 'perc', 'A szolgáltatás tervezője: egy munkanap', 'assumed'),
  ('repair_minor', 2400, 'perc', 'A szolgáltatás tervezője: öt munkanap', 'assumed'),
  ('largest_file', 5120, 'KiB', 'A szolgáltatás tervezője', 'assumed')
"""


class Migration(migrations.Migration):
    dependencies = [("helpdesk", "0001_initial")]
    operations = [migrations.RunSQL(SQL, "DELETE FROM parameter")]

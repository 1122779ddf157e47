"""Thresholds of the warehouse, and the view from which the Treasury's totals are made: measures, never persons."""

from django.db import migrations

SQL = """
INSERT INTO parameter (name, value, unit, source, status) VALUES
  ('feed_deadline_hour', 6, 'óra', 'A szolgáltatás tervezője: az éjszakai átadás reggelre kész', 'assumed'),
  ('smallest_count', 5, 'darab', 'Statisztikai adatvédelem szokásos küszöbe', 'assumed');
CREATE VIEW treasury AS
SELECT f.system, f.day, g.measure, g.dimension, g.kind, sum(g.value)::bigint AS value
  FROM feed f JOIN figure g ON g.feed_id = f.id
  WHERE f.status = 'whole' GROUP BY 1, 2, 3, 4, 5
"""


class Migration(migrations.Migration):
    dependencies = [("adattar", "0001_initial")]
    operations = [migrations.RunSQL(SQL, "DROP VIEW treasury; DELETE FROM parameter")]

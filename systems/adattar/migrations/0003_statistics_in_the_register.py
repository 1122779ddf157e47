"""The threshold of published counts is the hosting's, in its register (`inventory/catalogue/statistics.yaml`)."""

from django.db import migrations

FORWARD = "DELETE FROM parameter WHERE name = 'smallest_count'"
BACK = """
INSERT INTO parameter (name, value, unit, source, status) VALUES
  ('smallest_count', 5, 'darab', 'Statisztikai adatvédelem szokásos küszöbe', 'assumed')
"""


class Migration(migrations.Migration):
    dependencies = [("adattar", "0002_parameters")]
    operations = [migrations.RunSQL(FORWARD, BACK)]

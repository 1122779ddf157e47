"""The view by which the training system judges exercises: who did what in which system, but not to what."""

from django.db import migrations

VIEW = """
CREATE VIEW clerk_deed AS
SELECT username, name, system, action, at FROM activity
UNION ALL
SELECT p.username, coalesce(c.name, p.username), p.system, 'belépés', p.began_at
  FROM presence p LEFT JOIN clerk c ON c.username = p.username
"""


class Migration(migrations.Migration):
    dependencies = [("keret", "0003_clerk_access")]
    operations = [migrations.RunSQL(VIEW, "DROP VIEW clerk_deed")]

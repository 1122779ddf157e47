"""What every system may know of a clerk is also their name: pages show people, not usernames."""

from django.db import migrations

VIEW = """
CREATE OR REPLACE VIEW clerk_access AS
WITH active AS (
  SELECT * FROM role_grant WHERE revoked_at IS NULL AND since <= now() AND (until IS NULL OR until > now())),
base AS (
  SELECT c.id, c.managed, r.role FROM clerk c, LATERAL (
    SELECT a.system || '.' || a.role AS role FROM active a
      WHERE a.user_id = c.id AND a.kind = 'permanent' AND c.managed
    UNION SELECT jsonb_array_elements_text(c.token_roles) WHERE NOT c.managed) r)
SELECT c.username, c.locked_at IS NOT NULL AS locked, c.not_before, c.managed, ARRAY(
    SELECT b.role FROM base b WHERE b.id = c.id AND b.managed
    UNION SELECT a.system || '.' || a.role FROM active a WHERE a.user_id = c.id AND a.kind = 'temporary'
    UNION SELECT b.role FROM active s JOIN base b ON b.id = s.substitutes_id
      WHERE s.user_id = c.id AND s.kind = 'substitution') AS roles, c.name
  FROM clerk c
"""


class Migration(migrations.Migration):
    dependencies = [("keret", "0006_activity_sealed")]
    operations = [migrations.RunSQL(VIEW)]

"""Each system sees a clerk's roles in itself alone.

All are seen by the framework, which manages them; by records, where a role in the tax system opens its cases; and by
training, whose course follows from them.

Only managed clerks have permanent grants (admin_views sets both at once), so `AND c.managed` in `base` changes nothing
today. It stays because `held` asks the same of a clerk's own roles only: a substitute's come out of `base` unasked.
"""

from django.db import migrations

VIEW = """
CREATE OR REPLACE VIEW clerk_access AS
WITH asking AS (SELECT split_part(current_user::text, '_', 2) AS system),
active AS (
  SELECT * FROM role_grant WHERE revoked_at IS NULL AND since <= now() AND (until IS NULL OR until > now())),
base AS (
  SELECT c.id, c.managed, r.role FROM clerk c, LATERAL (
    SELECT a.system || '.' || a.role AS role FROM active a
      WHERE a.user_id = c.id AND a.kind = 'permanent' AND c.managed
    UNION SELECT jsonb_array_elements_text(c.token_roles) WHERE NOT c.managed) r),
held AS (
  SELECT b.id, b.role FROM base b WHERE b.managed
  UNION SELECT a.user_id, a.system || '.' || a.role FROM active a WHERE a.kind = 'temporary'
  UNION SELECT s.user_id, b.role FROM active s JOIN base b ON b.id = s.substitutes_id WHERE s.kind = 'substitution')
SELECT c.username, c.locked_at IS NOT NULL AS locked, c.not_before, c.managed, ARRAY(
    SELECT h.role FROM held h
      WHERE h.id = c.id AND asking.system IN ('keret', 'irat', 'training', split_part(h.role, '.', 1))
      ORDER BY h.role) AS roles, c.name
  FROM clerk c CROSS JOIN asking
"""


class Migration(migrations.Migration):
    dependencies = [("keret", "0007_clerk_access_name")]
    operations = [migrations.RunSQL(VIEW)]

"""The business log only ever grows: the database itself refuses to change or delete a line."""

from django.db import migrations

SEAL = """
CREATE FUNCTION activity_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'lines of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER activity_sealed BEFORE UPDATE OR DELETE ON activity FOR EACH ROW EXECUTE FUNCTION activity_sealed();
"""


class Migration(migrations.Migration):
    dependencies = [("keret", "0005_presence_seen_at")]
    operations = [migrations.RunSQL(SEAL)]

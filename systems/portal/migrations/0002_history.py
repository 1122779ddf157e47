"""The history of changes is only ever added to."""

from django.db import migrations

SEALED = """
CREATE FUNCTION change_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'changes are only ever added' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER change_sealed BEFORE UPDATE OR DELETE ON change FOR EACH ROW EXECUTE FUNCTION change_sealed();
"""


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_initial")]
    operations = [migrations.RunSQL(SEALED)]

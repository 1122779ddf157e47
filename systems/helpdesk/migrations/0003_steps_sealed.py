"""Steps of a ticket stay as they were; how long an outage may last is the register's (its `sla.yaml`)."""

from django.db import migrations

SQL = """
CREATE FUNCTION history_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % never change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER step_sealed BEFORE UPDATE OR DELETE ON step FOR EACH ROW EXECUTE FUNCTION history_sealed();
DELETE FROM parameter WHERE name = 'repair_outage'
"""


class Migration(migrations.Migration):
    dependencies = [("helpdesk", "0002_parameters")]
    operations = [migrations.RunSQL(SQL)]

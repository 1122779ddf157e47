"""The history is only ever added to; parcels end but are not deleted; how long a change may wait."""

from django.db import migrations

SQL = """
CREATE FUNCTION history_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER change_sealed BEFORE UPDATE OR DELETE ON change FOR EACH ROW EXECUTE FUNCTION history_sealed();
CREATE TRIGGER descent_sealed BEFORE UPDATE OR DELETE ON descent FOR EACH ROW EXECUTE FUNCTION history_sealed();
CREATE TRIGGER parcel_kept BEFORE DELETE ON parcel FOR EACH ROW EXECUTE FUNCTION history_sealed();
INSERT INTO parameter (name, value, unit, source, status) VALUES
  ('change_days', 90, 'nap', '147/1992. Korm. rendelet: a változás átvezetése', 'assumed');
"""


class Migration(migrations.Migration):
    dependencies = [("ivk", "0001_initial")]
    operations = [migrations.RunSQL(SQL)]

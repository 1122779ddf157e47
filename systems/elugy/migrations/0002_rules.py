"""What was sent never changes, however it is tried; and the thresholds, all assumed."""

from django.db import migrations

SEALED = """
CREATE FUNCTION submission_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.arrival_number IS NOT NULL AND (TG_OP = 'DELETE' OR
    (NEW.id, NEW.form, NEW.version, NEW.identifier, NEW.name, NEW.email, NEW.data) IS DISTINCT FROM
    (OLD.id, OLD.form, OLD.version, OLD.identifier, OLD.name, OLD.email, OLD.data) OR
    (NEW.arrival_number, NEW.submitted_at) IS DISTINCT FROM (OLD.arrival_number, OLD.submitted_at))
  THEN
    RAISE EXCEPTION 'submission % was sent and never changes', OLD.arrival_number USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER submission_sealed BEFORE UPDATE OR DELETE ON submission
  FOR EACH ROW EXECUTE FUNCTION submission_sealed();

CREATE FUNCTION attachment_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  parent uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.submission_id ELSE NEW.submission_id END;
  number text;
BEGIN
  EXECUTE format('SELECT arrival_number FROM %I.submission WHERE id = $1 FOR SHARE', TG_TABLE_SCHEMA)
    INTO number USING parent;
  IF number IS NOT NULL OR TG_OP = 'UPDATE' THEN
    RAISE EXCEPTION 'attachments of submission % never change', coalesce(number, parent::text)
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER attachment_sealed BEFORE INSERT OR UPDATE OR DELETE ON attachment
  FOR EACH ROW EXECUTE FUNCTION attachment_sealed();

CREATE FUNCTION event_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are only ever added' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER event_sealed BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION event_sealed();
"""
PARAMETERS = """
INSERT INTO parameter (name, value, unit, source, status) VALUES
  ('attachment_bytes', 3145728, 'bájt', 'feltételezés: egy beszkennelt oldal-köteg elfér benne', 'assumed'),
  ('attachments_bytes', 6291456, 'bájt', 'feltételezés: két legnagyobb csatolmány együtt', 'assumed'),
  ('drafts', 20, 'darab', 'feltételezés: ennyi megkezdett űrlapja lehet egy ügyfélnek', 'assumed'),
  ('draft_days', 90, 'nap', 'feltételezés: ennyi ideig őrizzük a nem folytatott piszkozatot', 'assumed');
"""


class Migration(migrations.Migration):
    dependencies = [("elugy", "0001_initial")]
    operations = [migrations.RunSQL(SEALED), migrations.RunSQL(PARAMETERS)]

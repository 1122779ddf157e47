"""What was handed over or closed is locked by the database; the number of days that the law gives."""

from django.db import migrations

SQL = """
CREATE FUNCTION estate_locked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.state <> 'open' THEN
    RAISE EXCEPTION 'estate % is locked', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER estate_locked BEFORE UPDATE OR DELETE ON estate FOR EACH ROW EXECUTE FUNCTION estate_locked();

-- The estate's row is held: whoever hands it over at the same time is waited for.
CREATE FUNCTION part_locked() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  whose bigint;
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.estate_id <> OLD.estate_id THEN
    RAISE EXCEPTION 'rows of % stay with their estate', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
  END IF;
  whose := CASE WHEN TG_OP = 'DELETE' THEN OLD.estate_id ELSE NEW.estate_id END;
  PERFORM 1 FROM estate WHERE id = whose AND state = 'open' FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'estate % is locked', whose USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER heir_locked BEFORE INSERT OR UPDATE OR DELETE ON heir FOR EACH ROW EXECUTE FUNCTION part_locked();
CREATE TRIGGER asset_locked BEFORE INSERT OR UPDATE OR DELETE ON asset FOR EACH ROW EXECUTE FUNCTION part_locked();
CREATE TRIGGER debt_locked BEFORE INSERT OR UPDATE OR DELETE ON debt FOR EACH ROW EXECUTE FUNCTION part_locked();

CREATE FUNCTION handover_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER handover_sealed BEFORE UPDATE OR DELETE ON handover FOR EACH ROW EXECUTE FUNCTION handover_sealed();

INSERT INTO parameter (name, value, unit, source, status) VALUES
  ('handover_days', 30, 'nap', '2010. évi XXXVIII. törvény: a leltár átadása a tudomásszerzéstől', 'assumed');
"""


class Migration(migrations.Migration):
    dependencies = [("hagyatek", "0001_initial")]
    operations = [migrations.RunSQL(SQL)]

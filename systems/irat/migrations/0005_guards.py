"""What a closed register promises, held by the database; full-text search; an archiving plan to start with."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION register_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.closed_at IS NOT NULL OR NEW.prefix <> OLD.prefix OR NEW.year <> OLD.year
     OR NEW.last_main < OLD.last_main THEN
    RAISE EXCEPTION 'register %/% is closed or would go back', OLD.prefix, OLD.year
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER register_closed BEFORE UPDATE OR DELETE ON register FOR EACH ROW EXECUTE FUNCTION register_closed();

CREATE FUNCTION document_sealed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'document % stays registered', OLD.number USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'UPDATE' AND (NEW.number, NEW.case_id, NEW.sub, NEW.direction, NEW.received_on, NEW.registered_at)
     IS DISTINCT FROM (OLD.number, OLD.case_id, OLD.sub, OLD.direction, OLD.received_on, OLD.registered_at) THEN
    RAISE EXCEPTION 'document % keeps its number and day', OLD.number USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'INSERT' AND EXISTS (SELECT FROM case_file c JOIN register r ON r.id = c.register_id
       WHERE c.id = NEW.case_id AND r.closed_at IS NOT NULL) THEN
    RAISE EXCEPTION 'the register of % is closed', NEW.number USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER document_sealed BEFORE INSERT OR UPDATE OR DELETE ON document
  FOR EACH ROW EXECUTE FUNCTION document_sealed();

CREATE FUNCTION history_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % never change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER case_event_sealed BEFORE UPDATE OR DELETE ON case_event
  FOR EACH ROW EXECUTE FUNCTION history_sealed();
"""

SEARCH = """
ALTER TABLE document ADD COLUMN search_vector tsvector GENERATED ALWAYS AS (
  setweight(to_tsvector('hungarian', subject), 'A') ||
  setweight(to_tsvector('hungarian', sender || ' ' || addressee), 'B') ||
  to_tsvector('hungarian', note)) STORED;
CREATE INDEX document_search ON document USING gin (search_vector);
UPDATE case_file c SET subject = d.subject FROM document d WHERE d.case_id = c.id AND d.sub = 1;
"""

PLAN = """
INSERT INTO archive_item (code, title, keep_years, source, status) VALUES
  ('A101', 'Önkormányzati rendeletek, testületi előterjesztések', NULL, 'Szintetikus alapérték', 'assumed'),
  ('B201', 'Adóügyi iratok', 10, 'Szintetikus alapérték', 'assumed'),
  ('B202', 'Pénzügyi bizonylatok', 8, 'Szintetikus alapérték', 'assumed'),
  ('C301', 'Hatósági engedélyek, nyilvántartások', 15, 'Szintetikus alapérték', 'assumed'),
  ('C302', 'Ipari és kereskedelmi ügyek', 15, 'Szintetikus alapérték', 'assumed'),
  ('D401', 'Hagyatéki ügyek', 15, 'Szintetikus alapérték', 'assumed'),
  ('E501', 'Szociális ügyek', 5, 'Szintetikus alapérték', 'assumed'),
  ('F601', 'Általános kérelmek, panaszok, bejelentések', 5, 'Szintetikus alapérték', 'assumed'),
  ('F602', 'Tájékoztatók, meghívók, egyéb levelezés', 2, 'Szintetikus alapérték', 'assumed');
"""


class Migration(migrations.Migration):
    dependencies = [("irat", "0004_handling")]
    operations = [migrations.RunSQL(sql) for sql in (GUARDS, SEARCH, PLAN)]

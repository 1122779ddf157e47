"""What the ledger promises, held by the database, and the charts that a municipality starts with."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % never change: post a reversal', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER voucher_sealed BEFORE UPDATE OR DELETE ON voucher FOR EACH ROW EXECUTE FUNCTION sealed();
CREATE TRIGGER entry_sealed BEFORE UPDATE OR DELETE ON entry FOR EACH ROW EXECUTE FUNCTION sealed();
CREATE TRIGGER modification_sealed BEFORE UPDATE OR DELETE ON modification FOR EACH ROW EXECUTE FUNCTION sealed();

CREATE FUNCTION voucher_numbered() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF extract(year FROM NEW.day) <> NEW.year_id THEN
    RAISE EXCEPTION '% is not in %', NEW.day, NEW.year_id USING ERRCODE = 'restrict_violation';
  END IF;
  UPDATE fiscal_year SET last_voucher = last_voucher + 1
   WHERE year = NEW.year_id AND (closed_through IS NULL OR closed_through < NEW.day)
   RETURNING last_voucher INTO NEW.number;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the period of % is closed or has no books', NEW.day USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER voucher_numbered BEFORE INSERT ON voucher FOR EACH ROW EXECUTE FUNCTION voucher_numbered();

CREATE FUNCTION voucher_balances() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  whose bigint := CASE TG_TABLE_NAME WHEN 'voucher' THEN (to_jsonb(NEW)->>'id')::bigint
                  ELSE (to_jsonb(NEW)->>'voucher_id')::bigint END;
  ok boolean;
BEGIN
  SELECT coalesce(sum(e.debit), 0) = v.total AND coalesce(sum(e.credit), 0) = v.total INTO ok
    FROM voucher v LEFT JOIN entry e ON e.voucher_id = v.id WHERE v.id = whose GROUP BY v.id;
  IF NOT ok THEN
    RAISE EXCEPTION 'voucher % does not balance', whose USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER voucher_balances AFTER INSERT ON voucher DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION voucher_balances();
CREATE CONSTRAINT TRIGGER entry_balances AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION voucher_balances();

CREATE FUNCTION year_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR NEW.year <> OLD.year OR NEW.last_voucher < OLD.last_voucher
     OR NEW.last_commitment < OLD.last_commitment
     OR coalesce(NEW.closed_through, '-infinity'::date) < coalesce(OLD.closed_through, '-infinity'::date) THEN
    RAISE EXCEPTION 'the books of % do not go back', OLD.year USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER year_moves_on BEFORE UPDATE OR DELETE ON fiscal_year FOR EACH ROW EXECUTE FUNCTION year_moves_on();
"""

# Main groups of the uniform chart of accounts and of the budget items; a municipality adds its own below them.
CHARTS = """
INSERT INTO account (code, name, cash) VALUES
  ('11', 'Immateriális javak', false), ('12', 'Tárgyi eszközök', false), ('21', 'Készletek', false),
  ('32', 'Pénztárak', true), ('33', 'Forintszámlák', true), ('35', 'Követelések', false),
  ('41', 'Saját tőke', false), ('42', 'Kötelezettségek', false),
  ('51', 'Anyagköltség', false), ('52', 'Igénybe vett szolgáltatások költségei', false),
  ('53', 'Bérköltség', false), ('55', 'Bérjárulékok', false), ('84', 'Egyéb ráfordítások', false),
  ('91', 'Tevékenység eredményszemléletű bevételei', false), ('92', 'Egyéb eredményszemléletű bevételek', false);
INSERT INTO item (code, name, side, account_id) VALUES
  ('K1', 'Személyi juttatások', 'expense', '53'),
  ('K2', 'Munkaadókat terhelő járulékok', 'expense', '55'),
  ('K3', 'Dologi kiadások', 'expense', '52'),
  ('K4', 'Ellátottak pénzbeli juttatásai', 'expense', '84'),
  ('K5', 'Egyéb működési célú kiadások', 'expense', '84'),
  ('K6', 'Beruházások', 'expense', '12'),
  ('K7', 'Felújítások', 'expense', '12'),
  ('B1', 'Működési célú támogatások', 'revenue', '92'),
  ('B3', 'Közhatalmi bevételek', 'revenue', '91'),
  ('B4', 'Működési bevételek', 'revenue', '91');
INSERT INTO vat_rate (percent, source, status) VALUES
  (27, 'Szintetikus alapérték; az önkormányzat beállítása dönt', 'assumed'),
  (5, 'Szintetikus alapérték; az önkormányzat beállítása dönt', 'assumed'),
  (0, 'Adómentes tétel', 'assumed');
"""


class Migration(migrations.Migration):
    dependencies = [("gazd", "0001_initial")]
    operations = [migrations.RunSQL(GUARDS), migrations.RunSQL(CHARTS)]

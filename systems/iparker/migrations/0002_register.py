"""What the register promises, held by the database; the product groups it starts with; what everybody may see of it."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION history_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER change_sealed BEFORE UPDATE OR DELETE ON change FOR EACH ROW EXECUTE FUNCTION history_sealed();
CREATE TRIGGER entry_kept BEFORE DELETE ON entry FOR EACH ROW EXECUTE FUNCTION history_sealed();
CREATE TRIGGER notification_kept BEFORE DELETE ON notification FOR EACH ROW EXECUTE FUNCTION history_sealed();

CREATE FUNCTION entry_numbered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.kind, NEW.year, NEW.serial, NEW.number) IS DISTINCT FROM (OLD.kind, OLD.year, OLD.serial, OLD.number) THEN
    RAISE EXCEPTION 'entry % keeps its number', OLD.number USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.until IS NOT NULL THEN
    RAISE EXCEPTION 'entry % has ended', OLD.number USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER entry_numbered BEFORE UPDATE ON entry FOR EACH ROW EXECUTE FUNCTION entry_numbered();

CREATE FUNCTION notification_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'open' THEN
    RAISE EXCEPTION 'notification % was decided', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER notification_decided BEFORE UPDATE ON notification
  FOR EACH ROW EXECUTE FUNCTION notification_decided();

CREATE FUNCTION counter_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR NEW.last <> OLD.last + 1 THEN
    RAISE EXCEPTION 'the counter of % goes on by one', OLD.year USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER counter_moves_on BEFORE UPDATE OR DELETE ON counter
  FOR EACH ROW EXECUTE FUNCTION counter_moves_on();
"""

SOURCE = "210/2009. (IX. 29.) Korm. rendelet mellékletei; az összevetés a jegyző dolga"
GROUPS = (
    ("1.1", "Meleg, hideg étel", False),
    ("1.2", "Kávéital, alkoholmentes és szeszes ital", False),
    ("1.3", "Csomagolt kávé, dobozos és palackozott ital", False),
    ("1.4", "Cukrászati készítmény, édesipari termék", False),
    ("1.5", "Hús- és hentesáru", False),
    ("1.6", "Zöldség, gyümölcs", False),
    ("1.7", "Kenyér- és pékáru", False),
    ("1.8", "Tej, tejtermék", False),
    ("1.9", "Egyéb élelmiszer", False),
    ("2", "Textil, ruházat, lábbeli", False),
    ("3", "Bútor, lakberendezés, háztartási felszerelés", False),
    ("4", "Műszaki és híradás-technikai cikk", False),
    ("5", "Könyv, újság, papír- és írószer", False),
    ("6", "Illatszer, drogéria", False),
    ("7", "Festék, vegyi áru", False),
    ("8", "Virág, kertészeti cikk", False),
    ("9", "Használt cikk", False),
    ("10", "Egyéb iparcikk", False),
    ("20", "Nemesfém, ékszer, drágakő", True),
    ("21", "Kedvtelésből tartott állat", True),
    ("22", "Fegyver, lőszer, pirotechnikai termék", True),
    ("23", "Növényvédő szer, veszélyes vegyi anyag", True),
    ("24", "Gyógynövény, gyógyászati segédeszköz", True),
)
VALUES = ",\n  ".join(
    f"('{code}', '{name}', {str(licensed).lower()}, {position}, '{SOURCE}', 'assumed')"
    for position, (code, name, licensed) in enumerate(GROUPS, 1)
)
PRODUCTS = f"INSERT INTO product_group (code, name, licensed, position, source, status) VALUES\n  {VALUES}"

# A trader's seat may be a home and the identifier a person's: neither is in it.
PUBLIC = """
CREATE VIEW public_register AS
SELECT number, trader_name || CASE WHEN shop_name = '' THEN '' ELSE ' – ' || shop_name END AS name,
       site AS address, activity, since, suspended_since, until
  FROM entry
"""


class Migration(migrations.Migration):
    dependencies = [("iparker", "0001_initial")]
    operations = [
        migrations.RunSQL(GUARDS),
        migrations.RunSQL(PRODUCTS, "DELETE FROM product_group"),
        migrations.RunSQL(PUBLIC, "DROP VIEW public_register"),
    ]

"""Taxes, due days and interest rates that a municipality starts with, and the balance that a citizen may see.

All numbers are assumed: each municipality's decree and the central bank's rate replace them.
"""

from django.db import migrations

TERMS = """
INSERT INTO tax (code, name, per_mille, source, status) VALUES
  ('hipa', 'Helyi iparűzési adó', 20, '1990. évi C. törvény: legfeljebb 2 %, rendelet dönt', 'assumed'),
  ('epitmeny', 'Építményadó', 10, 'Szintetikus mérték; az önkormányzat rendelete dönt', 'assumed'),
  ('telek', 'Telekadó', 10, 'Szintetikus mérték; az önkormányzat rendelete dönt', 'assumed');
INSERT INTO due_day (tax_id, month, day, share)
  SELECT code, month, day, 50 FROM tax, (VALUES (3, 15), (9, 15)) AS days(month, day);
INSERT INTO interest_rate (since, basis_points, source, status) VALUES
  ('2000-01-01', 1000, 'Szintetikus mérték a jegybanki alapkamathoz kötött pótlék helyett', 'assumed')
"""
# What is owed at the end of each day bears that day's rate for one night; rounded once (systems/ado/interest.py).
BALANCE = """
CREATE VIEW citizen_balance AS
WITH today AS (SELECT (now() AT TIME ZONE 'Europe/Budapest')::date AS day)
SELECT t.identifier, 'Helyi adók összesen'::text AS tax, d.due, p.paid, i.interest,
       d.due + i.interest - p.paid AS balance, today.day AS as_of
  FROM taxpayer t CROSS JOIN today
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(n.amount), 0)::bigint AS due, min(n.due) AS first
      FROM instalment n JOIN assessment a ON a.id = n.assessment_id
      WHERE a.taxpayer_id = t.id AND n.due <= today.day) d
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(m.amount), 0)::bigint AS paid FROM payment m
      WHERE m.taxpayer_id = t.id AND m.day <= today.day) p
  CROSS JOIN LATERAL (
    SELECT coalesce(round(sum(greatest(owed.amount, 0)::numeric * rate.basis_points) / (10000 * 365)), 0)::bigint
             AS interest
      FROM generate_series(d.first::timestamp, today.day - 1, interval '1 day') AS nights(night)
      CROSS JOIN LATERAL (
        SELECT (SELECT coalesce(sum(n.amount), 0) FROM instalment n JOIN assessment a ON a.id = n.assessment_id
                 WHERE a.taxpayer_id = t.id AND n.due <= night)
             - (SELECT coalesce(sum(m.amount), 0) FROM payment m
                 WHERE m.taxpayer_id = t.id AND m.day <= night) AS amount) owed
      CROSS JOIN LATERAL (
        SELECT coalesce((SELECT r.basis_points FROM interest_rate r WHERE r.since <= night
                          ORDER BY r.since DESC LIMIT 1), 0) AS basis_points) rate) i
"""


class Migration(migrations.Migration):
    dependencies = [("ado", "0001_initial")]
    operations = [
        migrations.RunSQL(TERMS, "DELETE FROM interest_rate; DELETE FROM due_day; DELETE FROM tax"),
        migrations.RunSQL(BALANCE, "DROP VIEW citizen_balance"),
    ]

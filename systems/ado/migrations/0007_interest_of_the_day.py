"""A citizen sees late interest as the account counts it (systems/ado/interest.py): each day at the rate of that day,
cut off after the third decimal of a percent (2017. évi CL. törvény 209. §). It was the rate of the day before.
"""

from django.db import migrations

BALANCE = """
CREATE OR REPLACE VIEW citizen_balance AS
WITH today AS (SELECT (now() AT TIME ZONE 'Europe/Budapest')::date AS day)
SELECT t.identifier, x.name::text AS tax, s.due, s.paid, s.interest, s.due + s.interest - s.paid AS balance,
       today.day AS as_of
  FROM taxpayer t CROSS JOIN tax x CROSS JOIN today
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.due), 0)::bigint AS due, coalesce(sum(c.paid), 0)::bigint AS paid,
           coalesce(round(sum(greatest(c.owed, 0) * (c.until - c.day) * c.daily) / 100000), 0)::bigint AS interest
      FROM (
        SELECT e.day, sum(e.due) AS due, sum(e.paid) AS paid,
               sum(sum(e.due) - sum(e.paid)) OVER days AS owed, lead(e.day, 1, today.day) OVER days AS until,
               coalesce((SELECT r.basis_points * 10 / 365 FROM interest_rate r WHERE r.since <= e.day + 1
                          ORDER BY r.since DESC LIMIT 1), 0) AS daily
          FROM (
            SELECT n.due AS day, n.amount AS due, 0 AS paid
              FROM instalment n JOIN assessment a ON a.id = n.assessment_id
              WHERE a.taxpayer_id = t.id AND a.tax_id = x.code
            UNION ALL
            SELECT p.day, 0, b.amount FROM payment_part b JOIN payment p ON p.id = b.payment_id
              WHERE p.taxpayer_id = t.id AND b.tax_id = x.code
            UNION ALL
            SELECT r.since - 1, 0, 0 FROM interest_rate r) e
          WHERE e.day <= today.day
          GROUP BY e.day WINDOW days AS (ORDER BY e.day)) c) s
  WHERE EXISTS (SELECT FROM assessment a WHERE a.taxpayer_id = t.id AND a.tax_id = x.code)
     OR EXISTS (SELECT FROM payment_part b JOIN payment p ON p.id = b.payment_id
                 WHERE p.taxpayer_id = t.id AND b.tax_id = x.code)
"""


class Migration(migrations.Migration):
    dependencies = [("ado", "0006_balance_asked_for")]
    operations = [migrations.RunSQL(BALANCE)]

"""Accounts by tax: payments have parts, corrections and reversals are further rows, and no row ever changes.

Payments that were made before are parted as new ones are by default: the oldest instalments first, whatever their tax.
"""

import django.db.models.deletion
from django.db import migrations, models

import systems.core.money

ONE_COLUMN_ONCE = """
ALTER TABLE payment DROP CONSTRAINT payment_reference_key;
DROP INDEX payment_reference_1b46d464_like
"""
GUARDS = """
CREATE FUNCTION sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % never change: add one that corrects', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER assessment_sealed BEFORE UPDATE OR DELETE ON assessment FOR EACH ROW EXECUTE FUNCTION sealed();
CREATE TRIGGER instalment_sealed BEFORE UPDATE OR DELETE ON instalment FOR EACH ROW EXECUTE FUNCTION sealed();
CREATE TRIGGER payment_sealed BEFORE UPDATE OR DELETE ON payment FOR EACH ROW EXECUTE FUNCTION sealed();
CREATE TRIGGER payment_part_sealed BEFORE UPDATE OR DELETE ON payment_part FOR EACH ROW EXECUTE FUNCTION sealed();

CREATE FUNCTION payment_adds_up() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  whose bigint := (to_jsonb(NEW)->>(CASE TG_TABLE_NAME WHEN 'payment' THEN 'id' ELSE 'payment_id' END))::bigint;
BEGIN
  IF (SELECT sum(amount) FROM payment_part WHERE payment_id = whose)
     IS DISTINCT FROM (SELECT amount FROM payment WHERE id = whose) THEN
    RAISE EXCEPTION 'the parts of payment % do not sum up to it', whose USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payment_adds_up AFTER INSERT ON payment DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION payment_adds_up();
CREATE CONSTRAINT TRIGGER payment_part_adds_up AFTER INSERT ON payment_part DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION payment_adds_up();
"""
# What is owed at the end of each day bears that day's rate for one night; rounded once (systems/ado/interest.py).
# The days in between change nothing: each change holds until the next one.
BALANCE = """
CREATE OR REPLACE VIEW citizen_balance AS
WITH today AS (SELECT (now() AT TIME ZONE 'Europe/Budapest')::date AS day)
SELECT t.identifier, x.name::text AS tax, s.due, s.paid, s.interest, s.due + s.interest - s.paid AS balance,
       today.day AS as_of
  FROM taxpayer t CROSS JOIN tax x CROSS JOIN today
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.due), 0)::bigint AS due, coalesce(sum(c.paid), 0)::bigint AS paid,
           coalesce(round(sum(greatest(c.owed, 0) * (c.until - c.day) * c.basis_points) / (10000 * 365)), 0)::bigint
             AS interest
      FROM (
        SELECT e.day, sum(e.due) AS due, sum(e.paid) AS paid,
               sum(sum(e.due) - sum(e.paid)) OVER days AS owed, lead(e.day, 1, today.day) OVER days AS until,
               coalesce((SELECT r.basis_points FROM interest_rate r WHERE r.since <= e.day
                          ORDER BY r.since DESC LIMIT 1), 0) AS basis_points
          FROM (
            SELECT n.due AS day, n.amount AS due, 0 AS paid
              FROM instalment n JOIN assessment a ON a.id = n.assessment_id
              WHERE a.taxpayer_id = t.id AND a.tax_id = x.code
            UNION ALL
            SELECT p.day, 0, b.amount FROM payment_part b JOIN payment p ON p.id = b.payment_id
              WHERE p.taxpayer_id = t.id AND b.tax_id = x.code
            UNION ALL
            SELECT r.since, 0, 0 FROM interest_rate r) e
          WHERE e.day <= today.day
          GROUP BY e.day WINDOW days AS (ORDER BY e.day)) c) s
  WHERE EXISTS (SELECT FROM assessment a WHERE a.taxpayer_id = t.id AND a.tax_id = x.code)
     OR EXISTS (SELECT FROM payment_part b JOIN payment p ON p.id = b.payment_id
                 WHERE p.taxpayer_id = t.id AND b.tax_id = x.code)
"""
# Instalments and payments, each laid end to end in order of days: where they overlap, the one settles the other.
PARTS = """
WITH owed AS (
  SELECT a.taxpayer_id, a.tax_id, n.due, n.amount,
         sum(n.amount) OVER (PARTITION BY a.taxpayer_id ORDER BY n.due, a.tax_id, n.id) AS upto
    FROM instalment n JOIN assessment a ON a.id = n.assessment_id),
came AS (
  SELECT id, taxpayer_id, amount, sum(amount) OVER (PARTITION BY taxpayer_id ORDER BY day, id) AS upto FROM payment),
settled AS (
  SELECT c.id, o.tax_id, least(o.upto, c.upto) - greatest(o.upto - o.amount, c.upto - c.amount) AS amount
    FROM came c JOIN owed o ON o.taxpayer_id = c.taxpayer_id
     AND o.upto > c.upto - c.amount AND c.upto > o.upto - o.amount),
rest AS (
  SELECT c.id,
         coalesce((SELECT o.tax_id FROM owed o WHERE o.taxpayer_id = c.taxpayer_id
                    ORDER BY o.due DESC, o.tax_id DESC LIMIT 1), 'hipa') AS tax_id,
         c.amount - coalesce((SELECT sum(s.amount) FROM settled s WHERE s.id = c.id), 0) AS amount
    FROM came c)
INSERT INTO payment_part (payment_id, tax_id, amount)
SELECT id, tax_id, sum(amount) FROM (SELECT * FROM settled UNION ALL SELECT * FROM rest) parts
 GROUP BY id, tax_id HAVING sum(amount) > 0
"""


def once(table, target):
    """A row of `table` that points to one before it, which nothing else may point to."""
    return models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name=table, to=target)


class Migration(migrations.Migration):
    dependencies = [("ado", "0004_due_rules")]
    operations = [
        migrations.RemoveConstraint("assessment", "one_a_year"),
        migrations.AddField("assessment", "replaces", once("replaced_by", "ado.assessment")),
        migrations.AddField(
            "assessment",
            "reason",
            models.CharField(verbose_name="indok", max_length=300, blank=True, default=""),
            False,
        ),
        migrations.AddConstraint(
            "assessment",
            models.UniqueConstraint(
                name="one_a_year", fields=["taxpayer", "tax", "year"], condition=models.Q(replaces=None)
            ),
        ),
        migrations.RemoveConstraint("payment", "payment_positive"),
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(ONE_COLUMN_ONCE)],  # Django would ask a database for the names
            [
                migrations.AlterField(
                    "payment", "reference", models.CharField(verbose_name="banki hivatkozás", max_length=60)
                )
            ],
        ),
        migrations.AddField("payment", "round", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField("payment", "reverses", once("reversal", "ado.payment")),
        migrations.AddField(
            "payment", "reason", models.CharField(verbose_name="indok", max_length=300, blank=True, default=""), False
        ),
        migrations.AddConstraint(
            "payment",
            models.UniqueConstraint(
                name="payment_once", fields=["reference", "round"], condition=models.Q(reverses=None)
            ),
        ),
        migrations.AddConstraint(
            "payment",
            models.CheckConstraint(
                name="payment_reasoned",
                condition=models.Q(amount__gt=0, reverses=None) | ~models.Q(amount=0) & ~models.Q(reason=""),
            ),
        ),
        migrations.CreateModel(
            "PaymentPart",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", systems.core.money.ForintField(verbose_name="összeg")),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="parts", to="ado.payment"
                    ),
                ),
                ("tax", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="ado.tax")),
            ],
            {
                "db_table": "payment_part",
                "ordering": ["tax"],
                "constraints": [models.UniqueConstraint(name="part_once", fields=["payment", "tax"])],
            },
        ),
        migrations.RunSQL(BALANCE),
        migrations.RunSQL(GUARDS),
        migrations.RunSQL(PARTS),
    ]

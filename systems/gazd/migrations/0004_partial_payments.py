"""Invoices are paid whole or in parts: the one payment that each could have becomes the first of its payments."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

import systems.core.money

COPY = """
INSERT INTO invoice_payment (invoice_id, voucher_id, amount)
  SELECT id, payment_id, gross FROM invoice WHERE payment_id IS NOT NULL;
UPDATE invoice SET paid = gross WHERE payment_id IS NOT NULL;
SET CONSTRAINTS ALL IMMEDIATE"""


class Migration(migrations.Migration):
    dependencies = [("gazd", "0003_opening")]
    operations = [
        migrations.CreateModel(
            name="InvoicePayment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", systems.core.money.ForintField(verbose_name="összeg")),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="gazd.invoice"
                    ),
                ),
                (
                    "voucher",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="paid_invoice", to="gazd.voucher"
                    ),
                ),
            ],
            options={"db_table": "invoice_payment", "ordering": ["id"]},
        ),
        migrations.AddConstraint(
            model_name="invoicepayment",
            constraint=models.CheckConstraint(condition=Q(("amount__gt", 0)), name="payment_above_zero"),
        ),
        migrations.AddField(
            model_name="invoice",
            name="paid",
            field=systems.core.money.ForintField(default=0, verbose_name="kifizetve"),
        ),
        migrations.RemoveConstraint(model_name="invoice", name="posted_when_approved"),
        # Django would ask a database for the names of the column's constraints; they go with it.
        migrations.RunSQL(
            f"{COPY}; ALTER TABLE invoice DROP COLUMN payment_id",
            state_operations=[migrations.RemoveField(model_name="invoice", name="payment")],
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=Q(("paid", F("gross")), ("posted__isnull", False), ("state", "paid"))
                | Q(("paid__gte", 0), ("paid__lt", F("gross")), ("posted__isnull", False), ("state", "approved"))
                | Q(("decided_by", ""), ("paid", 0), ("posted", None), ("state", "recorded"))
                | Q(("paid", 0), ("state", "rejected")),
                name="posted_when_approved",
            ),
        ),
    ]

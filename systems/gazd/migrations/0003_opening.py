"""Invoices carried over from earlier books are all posted by the one opening voucher."""

import django.db.models.deletion
from django.db import migrations, models

SHARED = """
ALTER TABLE invoice DROP CONSTRAINT invoice_posted_id_key;
CREATE INDEX invoice_posted_id ON invoice (posted_id);
"""


class Migration(migrations.Migration):
    dependencies = [("gazd", "0002_ledger")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(SHARED)],
            state_operations=[
                migrations.AlterField(
                    model_name="invoice",
                    name="posted",
                    field=models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="gazd.voucher",
                    ),
                )
            ],
        )
    ]

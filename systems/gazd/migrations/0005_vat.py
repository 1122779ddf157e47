"""VAT that may be deducted has an account and items of its own; the rate of 18 % is added."""

import django.db.models.deletion
from django.db import migrations, models

import systems.core.money

CHARTS = """
INSERT INTO account (code, name, cash) VALUES ('3641', 'Előzetesen felszámított levonható áfa', false)
  ON CONFLICT DO NOTHING;
INSERT INTO item (code, name, side, account_id) VALUES
  ('K351', 'Működési célú előzetesen felszámított áfa', 'expense', '3641'),
  ('K67', 'Beruházási célú előzetesen felszámított áfa', 'expense', '3641'),
  ('K74', 'Felújítási célú előzetesen felszámított áfa', 'expense', '3641');
UPDATE item SET vat_item_id = 'K351' WHERE code = 'K3';
UPDATE item SET vat_item_id = 'K67' WHERE code = 'K6';
UPDATE item SET vat_item_id = 'K74' WHERE code = 'K7';
INSERT INTO vat_rate (percent, source, status) VALUES
  (18, '2007. évi CXXVII. törvény 82. §; a forrással nem vetettük össze', 'assumed');
SET CONSTRAINTS ALL IMMEDIATE
"""


class Migration(migrations.Migration):
    dependencies = [("gazd", "0004_partial_payments")]
    operations = [
        migrations.AddField(
            model_name="item",
            name="vat_item",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="gazd.item"),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="deductible",
            field=models.BooleanField(default=False, verbose_name="levonható áfa"),
        ),
        migrations.AddField(
            model_name="invoicepayment",
            name="vat",
            field=systems.core.money.ForintField(default=0),
        ),
        migrations.RunSQL(CHARTS),
    ]

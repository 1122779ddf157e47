"""Orders are countersigned and invoices validated, by others than the law forbids; what is older stays unsigned."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("gazd", "0005_vat")]
    operations = [
        migrations.AddField(
            model_name="commitment",
            name="countersigned_by",
            field=models.CharField(blank=True, default="", max_length=60),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="invoice",
            name="validated_by",
            field=models.CharField(blank=True, default="", max_length=60),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="commitment",
            constraint=models.CheckConstraint(
                condition=~Q(countersigned_by=F("recorded_by")), name="countersigned_by_another"
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=Q(validated_by="") | ~Q(validated_by=F("decided_by")), name="validated_by_another"
            ),
        ),
    ]

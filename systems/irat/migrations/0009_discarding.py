from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("irat", "0008_earlier_cases")]
    operations = [
        migrations.AlterField(
            model_name="caseevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("assigned", "szignálás"),
                    ("postponed", "határidő-módosítás"),
                    ("signed", "kiadmányozás"),
                    ("returned", "tervezet visszaadása"),
                    ("discarded", "tervezet elvetése"),
                    ("dispatched", "expediálás"),
                    ("settled", "elintézés"),
                    ("reopened", "újranyitás"),
                    ("archived", "irattárba helyezés"),
                    ("packed", "KRX-csomag kiadása"),
                    ("proposed", "selejtezésre előterjesztés"),
                    ("scrapped", "selejtezés"),
                    ("restricted", "hozzáférés módosítása"),
                ],
                max_length=10,
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("irat", "0006_krx")]
    operations = [
        migrations.AddField(
            model_name="case",
            name="restricted",
            field=models.BooleanField(default=False, verbose_name="korlátozott hozzáférésű"),
        ),
        migrations.AddField(
            model_name="case",
            name="system",
            field=models.CharField(blank=True, max_length=20, verbose_name="szakrendszer"),
        ),
        migrations.AddField(
            model_name="submission",
            name="answers",
            field=models.JSONField(default=list),
        ),
        migrations.AlterField(
            model_name="caseevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("assigned", "szignálás"),
                    ("postponed", "határidő-módosítás"),
                    ("signed", "kiadmányozás"),
                    ("returned", "tervezet visszaadása"),
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

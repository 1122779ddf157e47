"""Who approved a package is kept by username, is never its uploader, and is what importing systems see before they
write."""

from django.db import migrations, models

# Before, only the approver's name was kept; the page refused the uploader.
FORMER = "UPDATE package SET approver = applied_by WHERE applied_by <> ''"
VIEW = """
CREATE VIEW import_approval AS
SELECT p.id AS package, a.system
  FROM package p JOIN part a ON a.package_id = p.id
  WHERE p.state = 'applying' AND p.approver <> '' AND p.approver <> p.uploader AND NOT a.applied
    AND a.system = split_part(current_user::text, '_', 2)
"""


class Migration(migrations.Migration):
    dependencies = [("migration", "0002_second_check")]
    operations = [
        migrations.AddField("package", "approver", models.CharField(max_length=120, blank=True, default=""), False),
        migrations.RunSQL(FORMER),
        migrations.AddConstraint(
            "package",
            models.CheckConstraint(
                name="approved_by_another",
                condition=~models.Q(state__in=["approved", "applying", "applied", "partial"])
                | (~models.Q(approver="") & ~models.Q(approver=models.F("uploader"))),
            ),
        ),
        migrations.RunSQL(VIEW),
    ]

"""What cases of tax and estates are now, those from before become too; what was scrapped before loses what was left."""

from django.db import migrations

RESTRICTED = """
WITH RECURSIVE dealt(id, system) AS (
  SELECT d.case_id, s.target FROM submission s JOIN document d ON d.id = s.document_id WHERE s.target <> ''
  UNION SELECT c.id, e.system FROM dealt e JOIN case_file c ON c.continues_id = e.id)
UPDATE case_file c SET system = dealt.system, restricted = dealt.system IN ('ado', 'hagyatek')
  FROM dealt WHERE dealt.id = c.id;
"""

SCRAPPED = """
UPDATE submission s SET applicant = '{}', data = '{}' FROM document d JOIN case_file c ON c.id = d.case_id
  WHERE d.id = s.document_id AND c.state = 'scrapped';
UPDATE document SET search_text = lower(number) WHERE search_text = '';
"""


class Migration(migrations.Migration):
    dependencies = [("irat", "0007_reading")]
    operations = [migrations.RunSQL(RESTRICTED), migrations.RunSQL(SCRAPPED)]

"""Messages are emptied some time after they were handled; the row and its receipt stay, so that each counts once.

Nobody but the owner may change a message, so the function is the owner's. It takes only what its caller received and
gave a receipt for, and nothing of the last 30 days, whatever it is asked for: a system cannot hide what was just said.
"""

from django.db import migrations

FORGET = """
CREATE FUNCTION forget(days integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
  SET search_path FROM CURRENT AS $$
DECLARE emptied bigint;
BEGIN
  IF days IS NULL OR days < 30 THEN
    RAISE EXCEPTION 'chain.forget: seen % days, wanted 30 or more', days USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- The size of a body is known without reading it; most were emptied before.
  UPDATE chain.message m SET body = '{}' FROM chain.receipt r
    WHERE r.message_id = m.id AND m.target = split_part(session_user::text, '_', 2)
      AND r.at < now() - make_interval(days => days) AND pg_column_size(m.body) > pg_column_size('{}'::jsonb);
  GET DIAGNOSTICS emptied = ROW_COUNT;
  RETURN emptied;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("chain", "0001_initial")]
    operations = [migrations.RunSQL(FORGET)]

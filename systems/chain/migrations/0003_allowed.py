"""Who may send what to whom is in the database too, and what can never be handled has a place of its own.

`allowed` repeats systems/shared/messages.py. When that changes, a further migration says REWRITE again, with the new
fingerprint: a unit test compares the latest one.

`dead` lists messages that are no longer tried. Their receiver puts them there; only an operator settles one, by
`chain.retry` or `chain.discard`, which run with the caller's own rights: no login may change or delete a row.
"""

from django.db import migrations

from systems.chain.allowing import rewrite

FINGERPRINT = "d87888279101cec0"
ME = "split_part(current_user::text, '_', 2)"
TABLES = f"""
CREATE TABLE allowed (
  source text NOT NULL, target text NOT NULL, topic text NOT NULL, PRIMARY KEY (source, target, topic));
DROP POLICY as_myself ON message;
CREATE POLICY as_myself_what_is_allowed ON message FOR INSERT WITH CHECK (source = {ME} AND EXISTS (
  SELECT FROM allowed a WHERE a.source = message.source AND a.target = message.target AND a.topic = message.topic));
CREATE TABLE dead (
  message_id bigint PRIMARY KEY REFERENCES message, reason text NOT NULL, at timestamptz NOT NULL DEFAULT now(),
  discarded_at timestamptz);
ALTER TABLE dead ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_my_messages ON dead FOR SELECT USING (EXISTS (SELECT FROM message m WHERE m.id = message_id));
CREATE POLICY as_receiver ON dead FOR INSERT WITH CHECK (
  discarded_at IS NULL AND EXISTS (SELECT FROM message m WHERE m.id = message_id AND m.target = {ME}));

CREATE FUNCTION retry(message bigint) RETURNS boolean LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  DELETE FROM dead WHERE message_id = message AND discarded_at IS NULL;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  DELETE FROM failure WHERE message_id = message;
  RETURN true;
END $$;
CREATE FUNCTION discard(message bigint) RETURNS boolean LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE dead SET discarded_at = now() WHERE message_id = message AND discarded_at IS NULL;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO receipt (message_id, system) SELECT id, m.target FROM message m WHERE m.id = message;
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION retry(bigint), discard(bigint) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("chain", "0002_forget")]
    operations = [migrations.RunSQL(TABLES), migrations.RunSQL(rewrite())]

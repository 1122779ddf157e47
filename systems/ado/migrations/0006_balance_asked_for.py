"""E-administration asks for one balance at a time, and each question is kept.

The view showed every taxpayer's balance to a system that the internet reaches. The function runs as the owner, takes
one identifier, and writes down who asked for whom. No login may make temporary tables, so none stands before ours.
"""

from django.db import migrations

FUNCTION = """
CREATE TABLE balance_question (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(),
  system text NOT NULL, identifier text NOT NULL);
CREATE INDEX balance_question_by_time ON balance_question (at);
CREATE TRIGGER balance_question_sealed BEFORE UPDATE OR DELETE ON balance_question
  FOR EACH ROW EXECUTE FUNCTION sealed();
CREATE FUNCTION balance_of(asked text) RETURNS SETOF citizen_balance LANGUAGE plpgsql STRICT SECURITY DEFINER
  SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO balance_question (system, identifier)
    VALUES (split_part(session_user::text, '_', 2), left(asked, 20));
  RETURN QUERY SELECT * FROM citizen_balance WHERE identifier = asked;
END $$;
REVOKE ALL ON FUNCTION balance_of(text) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("ado", "0005_accounts")]
    operations = [migrations.RunSQL(FUNCTION)]

"""Tables of the chain. Append-only: nobody but the owner may change or delete a row, so what was said stays said.

Row-level security narrows each login (`t16054_irat`) to itself: it sends as its own system, reads what it sent or is to
receive, and gives receipts for what came to it.
"""

from django.db import migrations

ME = "split_part(current_user::text, '_', 2)"
MINE = f"EXISTS (SELECT FROM message m WHERE m.id = message_id AND m.target = {ME})"
TABLES = f"""
CREATE TABLE message (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source text NOT NULL, target text NOT NULL, topic text NOT NULL, key text NOT NULL, body jsonb NOT NULL,
  sent_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX message_by_target ON message (target, id);
CREATE INDEX message_by_key ON message (target, key, id);
CREATE TABLE receipt (
  message_id bigint PRIMARY KEY REFERENCES message, system text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE failure (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_id bigint NOT NULL REFERENCES message,
  error text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX failure_by_message ON failure (message_id, at);
CREATE TABLE run (
  system text NOT NULL, job text NOT NULL, slot text NOT NULL, at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (system, job, slot));
ALTER TABLE message ENABLE ROW LEVEL SECURITY;
ALTER TABLE receipt ENABLE ROW LEVEL SECURITY;
ALTER TABLE failure ENABLE ROW LEVEL SECURITY;
ALTER TABLE run ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_or_to_me ON message FOR SELECT USING ({ME} IN (source, target));
CREATE POLICY as_myself ON message FOR INSERT WITH CHECK (source = {ME});
CREATE POLICY of_my_messages ON receipt FOR SELECT USING (EXISTS (SELECT FROM message m WHERE m.id = message_id));
CREATE POLICY as_receiver ON receipt FOR INSERT WITH CHECK (system = {ME} AND {MINE});
CREATE POLICY of_my_messages ON failure FOR SELECT USING (EXISTS (SELECT FROM message m WHERE m.id = message_id));
CREATE POLICY as_receiver ON failure FOR INSERT WITH CHECK ({MINE});
CREATE POLICY own ON run FOR ALL USING (system = {ME}) WITH CHECK (system = {ME});
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunSQL(TABLES)]

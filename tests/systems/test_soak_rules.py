"""What a soak holds against the books and numbers: invented data keeps every rule, and each one notices its damage."""

from systems import synthetic
from tests.soak.accounts import LEDGERS, NUMBERS
from tests.systems.support import OURS

RULES = {(rule.system, rule.title): rule for rule in (*LEDGERS, *NUMBERS)}
# What breaks a rule, past every trigger and constraint.
DAMAGES = {
    ("ado", "payments are the sums of their parts"): "UPDATE ado.payment_part SET amount = amount + 1",
    ("ado", "assessments, or what they correct, are the sums of their instalments"): "UPDATE ado.instalment "
    "SET amount = amount - 1",
    ("ado", "a reversal takes back exactly its payment"): """
      INSERT INTO ado.payment
        (taxpayer_id, day, amount, reference, round, reason, recorded_at, recorded_by, reverses_id)
        SELECT taxpayer_id, day, 1 - amount, reference, round, 'x', now(), 'x', id FROM ado.payment LIMIT 1""",
    ("ado", "an account's balance, as citizens see it, is the sum of its postings"): """
      CREATE OR REPLACE VIEW ado.citizen_balance AS SELECT t.identifier, x.name::text AS tax, 7::bigint AS due,
        0::bigint AS paid, 0::bigint AS interest, 7::bigint AS balance, current_date AS as_of
        FROM ado.taxpayer t, ado.tax x""",
    ("gazd", "vouchers balance, and their total is either side"): "UPDATE gazd.entry SET debit = debit + 1 "
    "WHERE id = (SELECT min(id) FROM gazd.entry WHERE debit > 0)",
    ("gazd", "a year's debits are its credits"): "DELETE FROM gazd.entry WHERE id = (SELECT min(id) FROM gazd.entry)",
    ("gazd", "what is paid of an invoice is the sum of its payments in force"): "DELETE FROM gazd.invoice_payment",
    ("gazd", "what is invoiced of a commitment is the sum of its invoices"): "UPDATE gazd.commitment "
    "SET invoiced = invoiced - 1 WHERE invoiced > 0",
    ("gazd", "what is committed of an appropriation is the sum of its commitments"): "UPDATE gazd.appropriation "
    "SET committed = committed + 1 WHERE modified > committed",
    ("irat", "main numbers of this year's registers"): "UPDATE irat.case_file SET main = main + 1 "
    "WHERE main = (SELECT max(main) FROM irat.case_file)",
    ("irat", "sub-numbers of this year's cases"): "DELETE FROM irat.document WHERE id = "
    "(SELECT min(id) FROM irat.document)",
    ("irat", "numbers of the arrival book"): "UPDATE irat.counter SET last = last + 1",
    ("gazd", "numbers of vouchers"): "DELETE FROM gazd.voucher WHERE number = 1",
    ("gazd", "numbers of commitments"): "UPDATE gazd.fiscal_year SET last_commitment = last_commitment + 1",
    ("iparker", "numbers of trades"): "DELETE FROM iparker.entry WHERE serial = 1",
    (
        "helpdesk",
        "numbers of tickets",
    ): "UPDATE helpdesk.counter SET last = last + 1",
    ("elugy", "arrival numbers of citizens' forms"): "DELETE FROM elugy.submission WHERE id = "
    "(SELECT min(id::text)::uuid FROM elugy.submission WHERE arrival_number IS NOT NULL)",
}


def test_every_rule_has_its_damage():
    assert set(DAMAGES) == set(RULES)


def test_invented_data_keeps_every_rule_and_damage_breaks_each(serve, node):
    for system in sorted({rule.system for rule in RULES.values()}):
        with serve(system):
            assert synthetic.fill(OURS, seed=7)
    unnoticed, wrong = [], {}
    with node.superuser(f"t{OURS}") as connection:
        for key, rule in RULES.items():
            before = connection.execute(rule.query).fetchone()[0]
            wrong |= {key: before["wrong"]} if before["wrong"] else {}
            with connection.transaction(force_rollback=True):
                connection.execute("SET LOCAL session_replication_role = replica")
                assert connection.execute(DAMAGES[key]).rowcount, key
                if not connection.execute(rule.query).fetchone()[0]["wrong"]:
                    unnoticed.append(key)
    assert (wrong, unnoticed) == ({}, [])

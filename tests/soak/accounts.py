"""What must hold in the books, the numbers and the chain of a municipality: SQL that names every row that is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.soak.verdict import Verdict

THIS_YEAR = "extract(year FROM now() AT TIME ZONE 'Europe/Budapest')"
TODAY = "(now() AT TIME ZONE 'Europe/Budapest')::date"
CHAIN_MINUTES = 5  # by then a message that failed three times was tried again: the waits are 1, 2 and 4 minutes


@dataclass(frozen=True)
class Rule:
    """`rows`: SQL with columns `label` and `wrong`, a row for everything that the rule is about."""

    system: str
    title: str
    rows: str

    @property
    def query(self) -> str:
        """SQL that gives one JSON object: how many rows, and labels of the wrong ones."""
        wrong = "coalesce(json_agg(label) FILTER (WHERE wrong IS DISTINCT FROM false), '[]'::json)"
        return f"SELECT json_build_object('rows', count(*), 'wrong', {wrong}) FROM ({self.rows}) r;"


LEDGERS = (
    Rule(
        "ado", "payments are the sums of their parts",
        """SELECT reference AS label, amount IS DISTINCT FROM
             (SELECT sum(b.amount) FROM ado.payment_part b WHERE b.payment_id = p.id) AS wrong FROM ado.payment p""",
    ),
    Rule(
        "ado", "assessments, or what they correct, are the sums of their instalments",
        """SELECT a.id AS label, a.amount - coalesce(o.amount, 0) <>
             coalesce((SELECT sum(n.amount) FROM ado.instalment n WHERE n.assessment_id = a.id), 0) AS wrong
             FROM ado.assessment a LEFT JOIN ado.assessment o ON o.id = a.replaces_id""",
    ),
    Rule(
        "ado", "a reversal takes back exactly its payment",
        """SELECT p.reference AS label, p.amount <> -o.amount OR p.taxpayer_id <> o.taxpayer_id AS wrong
             FROM ado.payment p JOIN ado.payment o ON o.id = p.reverses_id""",
    ),
    Rule(
        "ado", "an account's balance, as citizens see it, is the sum of its postings",
        f"""SELECT t.identifier AS label,
             coalesce(sum(b.due), 0) <> coalesce((SELECT sum(n.amount) FROM ado.instalment n
               JOIN ado.assessment a ON a.id = n.assessment_id WHERE a.taxpayer_id = t.id AND n.due <= {TODAY}), 0)
             OR coalesce(sum(b.paid), 0) <> coalesce((SELECT sum(p.amount) FROM ado.payment p
               WHERE p.taxpayer_id = t.id AND p.day <= {TODAY}), 0)
             OR coalesce(sum(b.balance), 0) <> coalesce(sum(b.due + b.interest - b.paid), 0) AS wrong
             FROM ado.taxpayer t LEFT JOIN ado.citizen_balance b ON b.identifier = t.identifier GROUP BY t.id""",
    ),
    Rule(
        "gazd", "vouchers balance, and their total is either side",
        """SELECT v.year_id || '/' || v.number AS label, v.total <> sum(e.debit) OR v.total <> sum(e.credit) AS wrong
             FROM gazd.voucher v LEFT JOIN gazd.entry e ON e.voucher_id = v.id GROUP BY v.id""",
    ),
    Rule(
        "gazd", "a year's debits are its credits",
        """SELECT v.year_id AS label, sum(e.debit) <> sum(e.credit) AS wrong
             FROM gazd.entry e JOIN gazd.voucher v ON v.id = e.voucher_id GROUP BY v.year_id""",
    ),
    Rule(
        "gazd", "what is paid of an invoice is the sum of its payments in force",
        """SELECT i.number AS label, i.paid <> coalesce((SELECT sum(p.amount) FROM gazd.invoice_payment p
             WHERE p.invoice_id = i.id AND NOT EXISTS
               (SELECT FROM gazd.voucher r WHERE r.reverses_id = p.voucher_id)), 0) AS wrong FROM gazd.invoice i""",
    ),
    Rule(
        "gazd", "what is invoiced of a commitment is the sum of its invoices",
        """SELECT c.id AS label, c.invoiced <> coalesce((SELECT sum(i.gross) FROM gazd.invoice i
             WHERE i.commitment_id = c.id AND i.state <> 'rejected'), 0) AS wrong FROM gazd.commitment c""",
    ),
    Rule(
        "gazd", "what is committed of an appropriation is the sum of its commitments",
        """SELECT a.item_id || ' ' || a.year_id AS label, a.committed <> coalesce(
             (SELECT sum(c.amount - c.released) FROM gazd.commitment c WHERE c.appropriation_id = a.id), 0) AS wrong
             FROM gazd.appropriation a""",
    ),
)  # fmt: skip


def _count(label: str, last: str, rows: str, number: str, table: str) -> str:
    """Rule's SQL: a counter's last number is how many rows have one, and the greatest."""
    return f"""SELECT {label} AS label, {last} <> count({number}) OR {last} <> coalesce(max({number}), 0)
      OR {last} <> count(DISTINCT {number}) AS wrong FROM {table} c LEFT JOIN {rows} GROUP BY c.*, {label}, {last}"""


# Registers that were imported keep the numbers that they had: only this year's are this suite's own.
NUMBERS = (
    Rule(
        "irat", "main numbers of this year's registers",
        _count("c.prefix || '/' || c.year", "c.last_main", "irat.case_file f ON f.register_id = c.id", "f.main",
                 f"(SELECT * FROM irat.register WHERE year = {THIS_YEAR})"),
    ),
    Rule(
        "irat", "sub-numbers of this year's cases",
        _count("c.main", "c.last_sub", "irat.document d ON d.case_id = c.id", "d.sub",
                 "(SELECT f.* FROM irat.case_file f JOIN irat.register r ON r.id = f.register_id "
                 f"WHERE r.year = {THIS_YEAR})"),
    ),
    Rule(
        "irat", "numbers of the arrival book",
        _count("c.prefix || '/' || c.year", "c.last",
                 "irat.incoming i ON i.number LIKE c.prefix || '/' || c.year || '/%'",
                 "split_part(i.number, '/', 3)::int", "(SELECT * FROM irat.counter WHERE prefix = 'ERK')"),
    ),
    Rule(
        "gazd", "numbers of vouchers",
        _count("c.year", "c.last_voucher", "gazd.voucher v ON v.year_id = c.year", "v.number", "gazd.fiscal_year"),
    ),
    Rule(
        "gazd", "numbers of commitments",
        _count("c.year", "c.last_commitment", "(gazd.commitment k JOIN gazd.appropriation a "
                 "ON a.id = k.appropriation_id) ON a.year_id = c.year", "k.sequence", "gazd.fiscal_year"),
    ),
    Rule(
        "iparker", "numbers of trades",
        _count("c.kind || '/' || c.year", "c.last", "iparker.entry e ON e.kind = c.kind AND e.year = c.year",
                 "e.serial", "iparker.counter"),
    ),
    Rule(
        "helpdesk", "numbers of tickets",
        _count("c.year", "c.last", "helpdesk.ticket t ON t.number LIKE 'HB/' || c.year || '/%'",
                 "split_part(t.number, '/', 3)::int", "helpdesk.counter"),
    ),
    Rule(
        "elugy", "arrival numbers of citizens' forms",
        _count("c.year", "c.last", "elugy.submission s ON s.arrival_number LIKE 'EU/' || c.year || '/%'",
                 "split_part(s.arrival_number, '/', 3)::int", "elugy.arrival_book"),
    ),
)  # fmt: skip

# Messages without a receipt that nobody gave up, with their age in seconds; those given up since a moment.
WAITING = """SELECT json_build_object('label', m.source || ' → ' || m.target || ' ' || m.topic || ' ' || m.id,
  'seconds', extract(epoch FROM now() - m.sent_at)) FROM chain.message m
  WHERE NOT EXISTS (SELECT FROM chain.receipt r WHERE r.message_id = m.id)
    AND NOT EXISTS (SELECT FROM chain.dead d WHERE d.message_id = m.id);"""
HANDLED = "SELECT count(*) FROM chain.receipt WHERE at >= to_timestamp({since});"
DEAD = """SELECT json_build_object('label', m.source || ' → ' || m.target || ' ' || m.topic || ' ' || m.id || ': '
  || d.reason) FROM chain.dead d JOIN chain.message m ON m.id = d.message_id
  WHERE d.discarded_at IS NULL AND m.sent_at >= to_timestamp({since});"""


def judge(title: str, answers: Mapping[tuple[str, Rule], Mapping[str, Any]]) -> Verdict:
    """`answers`: (KSH code, rule) → what the rule's query gave. A rule that nowhere had a row proves nothing."""
    faults = [f"{ksh} {rule.system}, {rule.title}: {label}"
              for (ksh, rule), answer in answers.items() for label in answer["wrong"]]  # fmt: skip
    by_rule: dict[Rule, int] = {}
    for (_, rule), answer in answers.items():
        by_rule[rule] = by_rule.get(rule, 0) + answer["rows"]
    faults += [f"{rule.system}, {rule.title}: not a single row" for rule, rows in by_rule.items() if not rows]
    municipalities = len({ksh for ksh, _ in answers})
    figures = f"{len(by_rule)} rules over {sum(by_rule.values())} rows of {municipalities} municipalities, "
    figures += f"{len(faults)} wrong"
    return Verdict(title, bool(answers) and not faults, figures, faults)


def chains(
    handled: int, waiting: Sequence[tuple[str, str, float]], dead: Sequence[tuple[str, str]], minutes: float
) -> Verdict:
    """`waiting`: (KSH code, message, age in seconds); `dead`: (KSH code, message and why)."""
    late = [f"{ksh} {label}: {seconds / 60:.0f} min" for ksh, label, seconds in waiting if seconds > minutes * 60]
    faults = [*late, *(f"{ksh} {label}" for ksh, label in dead)]
    figures = f"{handled} messages handled, {len(waiting)} waiting, {len(late)} for more than {minutes} min, "
    figures += f"{len(dead)} dead"
    return Verdict("chains settled", handled > 0 and not faults, figures, faults)

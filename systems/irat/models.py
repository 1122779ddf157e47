"""Registers, cases and documents (335/2005. Korm. rendelet): a document's number is `IKT/<year>/<main>-<sub>`.

A case goes from open to assigned, settled, archived and scrapped (`systems.irat.handling`); each step adds a line to
its history. A closed register accepts nothing more: the database refuses it, and a case continues under a new
main number in this year's register.
"""

from __future__ import annotations

import re

import psycopg
from django.db import IntegrityError, connection, models, transaction
from django.db.models.expressions import RawSQL
from django.utils import timezone

from systems.core.errors import NotPossible
from systems.core.texts import fold

USUAL = "IKT"  # the register that the first document of a year opens by itself
MATCHES = "(document.search_text LIKE %s OR document.search_vector @@ plainto_tsquery('hungarian', %s))"


class Register(models.Model):
    """A register (iktatókönyv), one for each prefix and year. `last_main`: the last main number, without gaps."""

    prefix = models.CharField(max_length=10, default=USUAL)
    year = models.PositiveSmallIntegerField()
    last_main = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField("lezárva", null=True)
    closed_by = models.CharField(max_length=120, blank=True)

    class Meta:
        db_table = "register"
        constraints = [models.UniqueConstraint(fields=["prefix", "year"], name="register_once_a_year")]

    @classmethod
    def prefixes(cls) -> list[str]:
        """Prefixes of this year's registers in which a case may be opened, the usual one first."""
        registers = cls.objects.filter(year=timezone.localdate().year, closed_at=None).order_by("prefix")
        return list(dict.fromkeys([USUAL, *registers.values_list("prefix", flat=True)]))


class Counter(models.Model):
    """Numbers of the arrival book and of scrapping records, from 1 in each year without gaps."""

    prefix = models.CharField(max_length=10)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "counter"
        constraints = [models.UniqueConstraint(fields=["prefix", "year"], name="counter_once_a_year")]


class ArchiveItem(models.Model):
    """An item of the archiving plan (irattári tétel). `keep_years`: None means permanently.

    Assumed until the municipality enters its own plan.
    """

    code = models.CharField("tételszám", max_length=10, unique=True)
    title = models.CharField("megnevezés", max_length=200)
    keep_years = models.PositiveSmallIntegerField("megőrzési idő (év)", null=True, blank=True)
    source = models.CharField(max_length=200)
    status = models.CharField(max_length=10, default="assumed")

    class Meta:
        db_table = "archive_item"
        ordering = ["code"]

    def __str__(self) -> str:
        keep = "nem selejtezhető" if self.keep_years is None else f"{self.keep_years} év"
        return f"{self.code} {self.title} ({keep})"


class Destruction(models.Model):
    """A scrapping record (selejtezési jegyzőkönyv): proposed by one clerk, approved by another."""

    number = models.CharField(max_length=40, unique=True)
    proposed_by = models.CharField(max_length=120)
    proposed_at = models.DateTimeField(auto_now_add=True)
    approved_by = models.CharField(max_length=120, blank=True)
    approved_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "destruction"
        ordering = ["-id"]


class Case(models.Model):
    """A case (ügyirat): everything under one main number. `continues`: its earlier part, in a closed register.

    `system`: the one that deals with it, or empty. `restricted`: open to few readers (`systems.irat.reading`).
    """

    class State(models.TextChoices):
        OPEN = "open", "szignálásra vár"
        ASSIGNED = "assigned", "ügyintézés alatt"
        SETTLED = "settled", "elintézve"
        ARCHIVED = "archived", "irattárban"
        SCRAPPED = "scrapped", "selejtezve"

    class Outcome(models.TextChoices):
        ANSWERED = "answered", "válaszlevéllel"
        DECIDED = "decided", "döntéssel"
        FORWARDED = "forwarded", "áttétellel"
        NOTED = "noted", "tudomásulvétellel"

    register = models.ForeignKey(Register, on_delete=models.PROTECT)
    main = models.PositiveIntegerField("főszám")
    last_sub = models.PositiveIntegerField(default=0)
    continues = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="continued_by")
    subject = models.CharField("tárgy", max_length=300, blank=True)
    state = models.CharField("állapot", max_length=8, choices=State, default=State.OPEN)
    assignee_username = models.CharField(max_length=120, blank=True)
    assignee = models.CharField("ügyintéző", max_length=120, blank=True)
    deadline = models.DateField("határidő", null=True)
    outcome = models.CharField("elintézés módja", max_length=9, choices=Outcome, blank=True)
    settled_on = models.DateField("elintézés napja", null=True)
    item = models.ForeignKey(ArchiveItem, on_delete=models.PROTECT, null=True)
    archived_on = models.DateField("irattárba helyezve", null=True)
    keep_until = models.DateField("megőrzendő", null=True)
    destruction = models.ForeignKey(Destruction, on_delete=models.PROTECT, null=True, related_name="cases")
    system = models.CharField("szakrendszer", max_length=20, blank=True)
    restricted = models.BooleanField("korlátozott hozzáférésű", default=False)

    class Meta:
        db_table = "case_file"
        indexes = [models.Index(fields=["state", "deadline"], name="case_by_state")]
        constraints = [models.UniqueConstraint(fields=["register", "main"], name="main_once_a_register")]

    @property
    def number(self) -> str:
        return f"{self.register.prefix}/{self.register.year}/{self.main}"

    @property
    def overdue(self) -> bool:
        return self.state == self.State.ASSIGNED and self.deadline is not None and self.deadline < timezone.localdate()


class CaseEvent(models.Model):
    """One line of a case's history."""

    class Kind(models.TextChoices):
        ASSIGNED = "assigned", "szignálás"
        POSTPONED = "postponed", "határidő-módosítás"
        SIGNED = "signed", "kiadmányozás"
        RETURNED = "returned", "tervezet visszaadása"
        DISCARDED = "discarded", "tervezet elvetése"
        DISPATCHED = "dispatched", "expediálás"
        SETTLED = "settled", "elintézés"
        REOPENED = "reopened", "újranyitás"
        ARCHIVED = "archived", "irattárba helyezés"
        PACKED = "packed", "KRX-csomag kiadása"
        PROPOSED = "proposed", "selejtezésre előterjesztés"
        SCRAPPED = "scrapped", "selejtezés"
        RESTRICTED = "restricted", "hozzáférés módosítása"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=10, choices=Kind)
    by = models.CharField(max_length=120)
    note = models.CharField(max_length=1000, blank=True)

    class Meta:
        db_table = "case_event"
        ordering = ["id"]


class Arrival(models.TextChoices):
    """How a document arrived."""

    POST = "post", "Postai küldemény"
    PERSON = "person", "Személyes benyújtás"
    EMAIL = "email", "E-mail"
    GATEWAY = "gateway", "Hivatali Kapu"


class Direction(models.TextChoices):
    """Whether a document is incoming, outgoing or internal."""

    IN = "in", "bejövő"
    OUT = "out", "kimenő"
    INTERNAL = "internal", "belső"


class Way(models.TextChoices):
    """How a document is sent out."""

    POST = "post", "postai küldemény"
    REGISTERED = "registered", "tértivevényes küldemény"
    GATEWAY = "gateway", "Hivatali Kapu"
    PERSON = "person", "személyes átadás"


class Document(models.Model):
    """A document (irat), registered once and never deleted."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="documents")
    sub = models.PositiveIntegerField("alszám")
    number = models.CharField("iktatószám", max_length=40, unique=True)
    direction = models.CharField("irány", max_length=8, choices=Direction, default=Direction.IN)
    sender = models.CharField("küldő neve", max_length=200)
    addressee = models.CharField("címzett neve", max_length=200, blank=True)
    subject = models.CharField("tárgy", max_length=300)
    arrival = models.CharField("érkezés módja", max_length=10, choices=Arrival, default=Arrival.POST)
    received_on = models.DateField("érkezés napja")
    note = models.TextField("megjegyzés", max_length=2000, blank=True)
    registered_at = models.DateTimeField("iktatás időpontja", default=timezone.now, editable=False)
    registered_by = models.CharField("iktatta", max_length=120)
    signed_by = models.CharField("kiadmányozta", max_length=120, blank=True)
    dispatched_on = models.DateField("expediálás napja", null=True)
    dispatch_way = models.CharField("expediálás módja", max_length=10, choices=Way, blank=True)
    dispatched_by = models.CharField(max_length=120, blank=True)
    search_text = models.TextField(editable=False)
    # Token of the form that entered it: sent twice, it is still one document. None: it came another way.
    form_token = models.UUIDField(unique=True, null=True, editable=False)

    class Meta:
        db_table = "document"
        ordering = ["-registered_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["case", "sub"], name="sub_once_a_case")]

    def register(self, case: Case | None = None, prefix: str = USUAL) -> None:
        """Give this document its number and save it, in one transaction.

        Without a `case`, or with one of a closed register, under a new main number in this year's register `prefix`;
        a case continues in the register of its own prefix if there is one this year.

        The counters are rows: taking the next number locks the row until the document is saved, so numbers
        have no gaps and none is issued twice, however many clerks register at once. NotPossible when the register is
        being closed at this moment.
        """
        try:
            with transaction.atomic():
                if case is None or case.register.closed_at:
                    if case and case.register.prefix in Register.prefixes():
                        prefix = case.register.prefix
                    case = _open_case(prefix, timezone.localdate().year, self.subject, case)
                self.case = case
                self.sub = _next(
                    "UPDATE case_file SET last_sub = last_sub + 1 WHERE id = %s RETURNING last_sub", [self.case.pk]
                )
                self.number = f"{self.case.number}-{self.sub}"
                self.search_text = self.words()
                self.save(force_insert=True)
        except IntegrityError as error:
            if isinstance(error.__cause__, psycopg.errors.RestrictViolation):
                text = "Az iktatókönyvet éppen most zárták le. Küldje el újra: az irat az idei iktatókönyvbe kerül."
                raise NotPossible(text) from error
            raise

    def index(self) -> None:
        """Update its search text, which includes the names of its files."""
        self.search_text = self.words(*self.attachments.values_list("name", flat=True))
        self.save(update_fields=["search_text"])

    def words(self, *more: str) -> str:
        """Its search text, without accents and case; `more`: names of its files."""
        return fold(" ".join([self.number, self.sender, self.addressee, self.subject, self.note, *more]))


class Incoming(models.Model):
    """An item of the arrival book (érkeztetőkönyv), which waits to be registered or was sent back."""

    number = models.CharField("érkeztetési azonosító", max_length=40, unique=True)
    sender = models.CharField("küldő neve", max_length=200)
    subject = models.CharField("tárgy", max_length=300, blank=True)
    arrival = models.CharField("érkezés módja", max_length=10, choices=Arrival, default=Arrival.POST)
    received_on = models.DateField("érkezés napja")
    booked_at = models.DateTimeField(auto_now_add=True)
    booked_by = models.CharField(max_length=120)
    document = models.OneToOneField(Document, on_delete=models.PROTECT, null=True, related_name="incoming")
    sent_back = models.CharField("visszaküldés oka", max_length=300, blank=True)
    form_token = models.UUIDField(unique=True, null=True, editable=False)

    class Meta:
        db_table = "incoming"
        ordering = ["-id"]

    @property
    def waits(self) -> bool:
        return self.document_id is None and not self.sent_back


class KrxPackage(models.Model):
    """A KRX package that arrived as an item of the arrival book. `content`: its bytes; None once filed or sent back."""

    incoming = models.OneToOneField(Incoming, on_delete=models.PROTECT, related_name="krx")
    identifier = models.UUIDField(unique=True)
    sender_ksh = models.CharField("küldő KSH-kódja", max_length=5, blank=True)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField(null=True)

    class Meta:
        db_table = "krx_package"


class Outgoing(models.Model):
    """A draft (kiadmánytervezet) of a case; once signed, the `document`. `returned_note`: why it was returned."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="outgoing")
    addressee = models.CharField("címzett neve", max_length=200)
    subject = models.CharField("tárgy", max_length=300)
    text = models.TextField("szöveg", max_length=20000)
    drafted_by = models.CharField(max_length=120)
    drafted_at = models.DateTimeField(auto_now_add=True)
    returned_note = models.CharField(max_length=500, blank=True)
    document = models.OneToOneField(Document, on_delete=models.PROTECT, null=True, related_name="outgoing")

    class Meta:
        db_table = "outgoing"
        ordering = ["-id"]


class Attachment(models.Model):
    """A file of a document, unchanged. `sha256`: of its bytes, in hexadecimal."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="attachments")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        db_table = "attachment"
        ordering = ["id"]


class Submission(models.Model):
    """A citizen's electronic form: its document, and the system that deals with it.

    `answers`: as people read them, [{title, answers: [[question, answer]]}] by step; empty for a form that came before
    forms included them. All three are emptied when the case is scrapped.
    """

    class State(models.TextChoices):
        REGISTERED = "registered", "iktatva"
        DECIDED = "decided", "elintézve"

    id = models.UUIDField(primary_key=True)
    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="submission")
    form = models.CharField("űrlap kódja", max_length=60)
    target = models.CharField("szakrendszer", max_length=20, blank=True)
    applicant = models.JSONField()
    data = models.JSONField()
    answers = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=State, default=State.REGISTERED)

    class Meta:
        db_table = "submission"


def _open_case(prefix: str, year: int, subject: str, continues: Case | None) -> Case:
    main = _next(
        "INSERT INTO register (prefix, year, last_main, closed_by) VALUES (%s, %s, 1, '') "
        "ON CONFLICT ON CONSTRAINT register_once_a_year DO UPDATE SET last_main = register.last_main + 1 "
        "RETURNING last_main",
        [prefix, year],
    )
    register = Register.objects.get(prefix=prefix, year=year)
    case = Case(register=register, main=main, subject=subject, continues=continues)
    if continues:
        case.system, case.restricted = continues.system, continues.restricted
    case.save()
    return case


def take_number(prefix: str, year: int) -> str:
    """The next number of a counter, such as `SEL/2026/1`; its row stays locked until the transaction ends."""
    number = _next(
        "INSERT INTO counter (prefix, year, last) VALUES (%s, %s, 1) "
        "ON CONFLICT ON CONSTRAINT counter_once_a_year DO UPDATE SET last = counter.last + 1 RETURNING last",
        [prefix, year],
    )
    return f"{prefix}/{year}/{number}"


def _next(statement: str, parameters: list) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0]


def find(query: str) -> models.QuerySet:
    """Documents that contain every word of the query, the best match first.

    A word is found anywhere, ignoring accents and case, or in another form by its Hungarian stem.
    """
    documents = Document.objects.select_related("case")
    words = query.replace("\0", "").split()
    for word in words:
        within = "%" + re.sub(r"([\\%_])", r"\\\1", fold(word)) + "%"
        documents = documents.extra(where=[MATCHES], params=[within, word])  # noqa: S610  a constant with parameters
    if words:
        rank = RawSQL("ts_rank(search_vector, plainto_tsquery('hungarian', %s))", [" ".join(words)])  # noqa: S611
        documents = documents.order_by(rank.desc(), "-registered_at", "-id")
    return documents

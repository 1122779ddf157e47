"""Registers, cases and documents (335/2005. Korm. rendelet): a document's number is `IKT/<year>/<main>-<sub>`."""

from django.db import connection, models, transaction
from django.utils import timezone

from systems.core.texts import fold


class Register(models.Model):
    """A register (iktatókönyv): one a prefix and year. `last_main`: the last main number given out, from 1, no gaps."""

    prefix = models.CharField(max_length=10, default="IKT")
    year = models.PositiveSmallIntegerField()
    last_main = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "register"
        constraints = [models.UniqueConstraint(fields=["prefix", "year"], name="register_once_a_year")]


class Case(models.Model):
    """A case (ügyirat): everything under one main number."""

    register = models.ForeignKey(Register, on_delete=models.PROTECT)
    main = models.PositiveIntegerField("főszám")
    last_sub = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "case_file"
        constraints = [models.UniqueConstraint(fields=["register", "main"], name="main_once_a_register")]

    @property
    def number(self) -> str:
        return f"{self.register.prefix}/{self.register.year}/{self.main}"


class Arrival(models.TextChoices):
    """How a document came in."""

    POST = "post", "Postai küldemény"
    PERSON = "person", "Személyes benyújtás"
    EMAIL = "email", "E-mail"
    GATEWAY = "gateway", "Hivatali Kapu"


class Direction(models.TextChoices):
    """Whether a document came, went, or stayed in the house."""

    IN = "in", "bejövő"
    OUT = "out", "kimenő"
    INTERNAL = "internal", "belső"


class Document(models.Model):
    """A document (irat), registered once and for ever."""

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
    registered_at = models.DateTimeField("iktatás időpontja", auto_now_add=True)
    registered_by = models.CharField("iktatta", max_length=120)
    search_text = models.TextField(editable=False)
    # Of the form that it was entered with: sent twice, it is still one document. None: it came another way.
    form_token = models.UUIDField(unique=True, null=True, editable=False)

    class Meta:
        db_table = "document"
        ordering = ["-registered_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["case", "sub"], name="sub_once_a_case")]

    def register(self, case: Case | None = None) -> None:
        """Give this document its number and save it, whole or not at all; a new main number without a `case`.

        The counters are rows: whoever takes the next number holds the row until the document is saved, so numbers
        have no gaps and none is given twice, however many clerks register at once.
        """
        with transaction.atomic():
            self.case = case or _open_case(timezone.localdate().year)
            self.sub = _next(
                "UPDATE case_file SET last_sub = last_sub + 1 WHERE id = %s RETURNING last_sub", [self.case.pk]
            )
            self.number = f"{self.case.number}-{self.sub}"
            self.search_text = fold(f"{self.number} {self.sender} {self.addressee} {self.subject} {self.note}")
            self.save(force_insert=True)


class Attachment(models.Model):
    """A file that belongs to a document, as it came. `sha256` of its bytes, in hexadecimal."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="attachments")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        db_table = "attachment"
        ordering = ["id"]


class Submission(models.Model):
    """A citizen's electronic form: the document that it became, and who deals with it."""

    class State(models.TextChoices):
        REGISTERED = "registered", "iktatva"
        DECIDED = "decided", "elintézve"

    id = models.UUIDField(primary_key=True)
    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="submission")
    form = models.CharField("űrlap kódja", max_length=60)
    target = models.CharField("szakrendszer", max_length=20, blank=True)
    applicant = models.JSONField()
    data = models.JSONField()
    state = models.CharField(max_length=10, choices=State, default=State.REGISTERED)

    class Meta:
        db_table = "submission"


def _open_case(year: int) -> Case:
    main = _next(
        "INSERT INTO register (prefix, year, last_main) VALUES ('IKT', %s, 1) "
        "ON CONFLICT ON CONSTRAINT register_once_a_year DO UPDATE SET last_main = register.last_main + 1 "
        "RETURNING last_main",
        [year],
    )
    return Case.objects.create(register=Register.objects.get(prefix="IKT", year=year), main=main)


def _next(statement: str, parameters: list) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0]


def find(query: str) -> models.QuerySet:
    """Documents in whose number, sender, subject or note every word of the query stands, accents and case aside."""
    found = Document.objects.select_related("case")
    for word in fold(query).split():
        found = found.filter(search_text__contains=word)
    return found

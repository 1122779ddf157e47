"""Published statistics: nobody's own figure by subtraction, of one publication or of several."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from centre.statistics.figures import Delivered
from centre.statistics.publication import Publication, compile_day, rounding_of
from inventory.models import Municipality
from tests.attack.registry import Tries, Untried, attack
from tests.attack.target import Target

FIGURES = (41, 57, 455, 63, 38, 71, 52)  # of municipalities in turn
DAY = dt.date(2026, 1, 31)


def municipalities(target: Target) -> list[Municipality]:
    """Municipalities of the register, whether they have joined or not: what is attacked is arithmetic."""
    listing = [entry for _, entry in sorted(target.register.municipalities.items())][: len(FIGURES)]
    if len(listing) < 5:
        raise Untried("needs five municipalities")
    return listing


def publish(
    target: Target, values: Mapping[str, int], day: int = 0, ages: Mapping[str, Iterable[int]] | None = None
) -> Publication:
    """One day's publication of one count of the tax system."""
    deliveries = {
        ksh: Delivered({"ado"}, [("ado", "adózók száma", "", "count", value)]) for ksh, value in values.items()
    }
    when, members = DAY + dt.timedelta(days=day), municipalities(target)
    return compile_day(
        target.register, when, members, ["ado"], deliveries, rounding_of(target.register, target.secrets), True
    )


def total_of(publication: Publication) -> int | None:
    """The total of the only measure."""
    return publication.chapters[0].measures[0].total if publication.chapters[0].measures else None


def subtract(
    tries: Tries, all_values: Mapping[str, int], some: Mapping[str, int], first: Publication, second: Publication
) -> None:
    """The totals' difference must not be what few municipalities have."""
    one, two = total_of(first), total_of(second)
    lacking = set(all_values) - set(some)
    exact = one is not None and two is not None and one - two == sum(all_values[ksh] for ksh in lacking)
    tries.holds(not exact or len(lacking) >= 3, f"{one} - {two}: the figure of {sorted(lacking)}")


@attack(
    "T01",
    "statistics",
    "the difference of two days when a feed is missing, comes late or joins",
    {
        "missing": 1,
        "joins": -1,
        "two-missing": 2,
    },
    short=True,
)
def test_two_days(target: Target, tries: Tries, way: int) -> None:
    values = {m.ksh: figure for m, figure in zip(municipalities(target), FIGURES, strict=False)}
    for start in range(len(values)):
        names = [list(values)[(start + n) % len(values)] for n in range(abs(way))]
        some = {ksh: value for ksh, value in values.items() if ksh not in names}
        first, second = publish(target, values), publish(target, some, 1)
        if way < 0:
            first, second = publish(target, values, 1), publish(target, some)
        subtract(tries, values, some, first, second)


@attack(
    "T02",
    "statistics",
    "few municipalities, small counts, or one that is nearly everything",
    {
        "two": (900, 800),
        "one": (900,),
        "small": (1, 1, 1, 0, 0),
        "dominant": (90000, 900, 1, 1, 1),
        "zero-rest": (500, 400, 0, 0, 0),
    },
)
def test_one_day(target: Target, tries: Tries, way: tuple[int, ...]) -> None:
    values = {m.ksh: figure for m, figure in zip(municipalities(target), way, strict=False)}
    total = total_of(publish(target, values))
    # Counts below the step may all be rounded to 0, each by itself: that they are below it is all that a 0 says.
    nothing = total == 0 and max(way) < target.register.statistics.count_step
    tries.holds(total is None or nothing, f"{way}: {total} is told")


@attack("T03", "statistics", "a hidden part subtracted out of the total and the other parts")
def test_parts(target: Target, tries: Tries) -> None:
    deliveries = {
        m.ksh: Delivered(
            {"ado"},
            [
                ("ado", "adózók száma", "építmény", "count", figure),
                ("ado", "adózók száma", "telek", "count", 1 if n == 0 else 0),
            ],
        )
        for n, (m, figure) in enumerate(zip(municipalities(target), FIGURES, strict=False))
    }
    rounding = rounding_of(target.register, target.secrets)
    publication = compile_day(target.register, DAY, municipalities(target), ["ado"], deliveries, rounding, True)
    measure = publication.chapters[0].measures[0]
    hidden = [line for line in measure.parts if line.value is None]
    tries.holds(measure.total is None or len(hidden) != 1, f"{measure.total}, {measure.parts}")

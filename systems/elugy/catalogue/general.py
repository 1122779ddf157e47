"""General request (általános kérelem): stays in the records system, which assigns it to a clerk."""

from systems.elugy.catalogue.common import APPLICANT
from systems.elugy.definition import Definition, Field, Kind, Step

VERSIONS = [
    Definition(
        code="altalanos",
        version=1,
        title="Általános kérelem",
        summary="Minden olyan ügyben, amelyre nincs külön űrlap.",
        law="2016. évi CL. törvény az általános közigazgatási rendtartásról",
        target=None,
        steps=(
            APPLICANT,
            Step(
                "kerelem",
                "A kérelem",
                (
                    Field("subject", "tárgy", help="Röviden: miről szól a kérelem."),
                    Field("text", "a kérelem szövege", Kind.LONG, length=4000),
                ),
            ),
        ),
    )
]

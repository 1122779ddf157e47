"""The exercises: what to do in which system, and which lines in the framework's log prove it."""

from __future__ import annotations

from dataclasses import dataclass

ENTERED = "belépés"  # what `keret.clerk_deed` calls a sign-in to a system


@dataclass(frozen=True)
class Exercise:
    """`roles`: any of them in its system is enough to do it; `actions`: all must appear in the log."""

    code: str
    system: str
    title: str
    roles: frozenset[str]
    steps: tuple[str, ...]
    actions: tuple[str, ...]


def _exercise(code: str, system: str, title: str, roles: str, actions: str, *steps: str) -> Exercise:
    return Exercise(code, system, title, frozenset(roles.split()), steps, tuple(actions.split(", ")))


EXERCISES = (
    _exercise(
        "felhasznalo", "keret", "Munkatárs felvétele és szerepköre", "adminisztrator",
        "felhasználó felvétele, szerepkör megadása",
        "Nyissa meg a Felhasználók oldalt, és vegyen fel egy kitalált munkatársat.",
        "A munkatárs oldalán a Szerepkörök alatt adjon neki legalább egy szerepkört.",
    ),
    _exercise(
        "iktatas", "irat", "Küldemény érkeztetése és irat iktatása", "iktato", "érkeztetés, iktatás",
        "Az Érkeztetés oldalon érkeztessen egy kitalált küldeményt.",
        "Iktassa a küldeményt, és jegyezze fel az iktatószámot.",
    ),
    _exercise(
        "szignalas", "irat", "Ügyirat szignálása", "vezeto", "szignálás",
        "Az Ügyiratok oldalon válasszon egy folyamatban lévő ügyiratot.",
        "Szignálja egy ügyintézőre, határidővel.",
    ),
    _exercise(
        "hir", "portal", "Hír megírása", "szerkeszto", "portál: hírek szerkesztése",
        "A Szerkesztés menüben kezdjen új hírt kitalált szöveggel.",
        "Nézze meg az előnézetet, majd mentse a hírt.",
    ),
    _exercise(
        "beadvanyok", "elugy", "A beérkezett űrlapok áttekintése", "ugyintezo", ENTERED,
        "Lépjen be az ügyintézői oldalra, és nézze meg a beérkezett űrlapokat.",
        "Nyisson meg egy beadványt, és keresse meg, hol tart az ügye.",
    ),
    _exercise(
        "szamla", "gazd", "Kötelezettségvállalás és számla", "konyvelo",
        "kötelezettségvállalás, bejövő számla rögzítése",
        "Egy előirányzat oldalán rögzítsen kötelezettségvállalást.",
        "Egy már ellenjegyzett kötelezettségvállaláshoz rögzítsen egy kitalált bejövő számlát.",
    ),
    _exercise(
        "ervenyesites", "gazd", "Számla érvényesítése", "ellenjegyzo", "számla érvényesítése",
        "A Számlák oldalon nyisson meg egy jóváhagyásra váró számlát, amelyet még senki nem érvényesített.",
        "Vesse össze a kötelezettségvállalással, és érvényesítse.",
    ),
    _exercise(
        "utalvanyozas", "gazd", "Számla jóváhagyása", "utalvanyozo", "számla jóváhagyása",
        "A Számlák oldalon nyisson meg egy jóváhagyásra váró, már érvényesített számlát.",
        "Vesse össze a kötelezettségvállalással, és hagyja jóvá.",
    ),
    _exercise(
        "ingatlan", "ivk", "Ingatlan adatváltozása", "ugyintezo", "ingatlan adatváltozása",
        "Keressen meg egy ingatlant helyrajzi szám szerint.",
        "Módosítsa egy adatát, és adja meg a változás napját és okát.",
    ),
    _exercise(
        "befizetes", "ado", "Adózó felvétele és befizetése", "ugyintezo", "adózó felvétele, befizetés rögzítése",
        "Vegyen fel egy kitalált adózót.",
        "Az adózó oldalán rögzítsen egy befizetést.",
        "Töltse le a számlakivonatát, és ellenőrizze a befizetést.",
    ),
    _exercise(
        "bejelentes", "iparker", "Bejelentés nyilvántartásba vétele", "ugyintezo",
        "bejelentés rögzítése, nyilvántartásba vétel",
        "Rögzítsen egy kitalált, papíron érkezett bejelentést.",
        "Az Ellenőrzés alatt nézze meg, mi hiányzik; ha kell, egészítse ki.",
        "Vegye nyilvántartásba a tevékenységet.",
    ),
    _exercise(
        "leltar", "hagyatek", "Hagyatéki leltár megkezdése", "ugyintezo",
        "hagyatéki leltár megkezdése, örökös felvétele",
        "Kezdjen új hagyatéki leltárt kitalált adatokkal.",
        "Vegyen fel legalább egy örököst.",
    ),
    _exercise(
        "adattar", "adattar", "Az önkormányzat mutatói", "olvaso", ENTERED,
        "Lépjen be az adattárházba, és nyissa meg egy rendszer mutatóit.",
        "Töltse le a táblázatot.",
    ),
    _exercise(
        "hiba", "helpdesk", "Hiba bejelentése", "bejelento", "bejelentés",
        "Jelentsen be egy kitalált hibát; a leírás kezdődjön így: GYAKORLAT.",
        "Keresse meg a bejelentést a listában, és nézze meg a határidejét.",
    ),
    _exercise(
        "atvetel", "migration", "A korábbi adatok átvételének oldala", "ugyintezo jovahagyo", ENTERED,
        "Lépjen be a Migráció rendszerbe, és nézze meg, mely rendszerek vesznek át adatot.",
    ),
)  # fmt: skip
BY_CODE = {exercise.code: exercise for exercise in EXERCISES}

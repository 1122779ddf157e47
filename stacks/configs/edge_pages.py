"""The pages that the edge itself answers with: one per cause, self-contained, in Hungarian, with a stable code.

Clerks see them, the help desk asks for the code, tests and checks look for it. The edge fills in the request's id.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Page:
    """Why a request went no further: HTTP status, code for the help desk, what happened, what to do now."""

    status: int
    code: str
    title: str
    text: str
    advice: str
    headers: tuple[tuple[str, str], ...] = ()


_STAFF = "A szakrendszerekbe csak az önkormányzat saját, érvényes tanúsítványával lehet belépni."

PAGES = {
    "no-certificate": Page(
        403,
        "ASP-EDGE-NO-CERTIFICATE",
        "Tanúsítvány szükséges",
        f"A böngésző nem mutatott be ügyfél-tanúsítványt. {_STAFF}",
        "Zárja be a böngészőt, csatlakoztassa a kártyát (ha azt használ), majd nyissa meg újra az oldalt. "
        "Ha a hiba megmarad, a hivatal informatikusa ellenőrizze, hogy a tanúsítvány telepítve van-e.",
    ),
    "certificate-invalid": Page(
        403,
        "ASP-EDGE-CERTIFICATE-INVALID",
        "A tanúsítvány nem érvényes",
        f"A bemutatott tanúsítvány lejárt, vagy nem az ASP központ adta ki. {_STAFF}",
        "Válassza az ASP központ által kiadott tanúsítványt. Ha az lejárt, a hivatal informatikusa kérjen újat.",
    ),
    "certificate-revoked": Page(
        403,
        "ASP-EDGE-CERTIFICATE-REVOKED",
        "A tanúsítványt visszavonták",
        f"A bemutatott tanúsítványt az ASP központ visszavonta, többé nem használható. {_STAFF}",
        "Ha a visszavonásról nem tud, azonnal értesítse a hivatal informatikusát, és kérjen új tanúsítványt.",
    ),
    "revocation-unknown": Page(
        403,
        "ASP-EDGE-REVOCATION-UNKNOWN",
        "A tanúsítvány most nem ellenőrizhető",
        "A visszavont tanúsítványok listája elavult, ezért a szakrendszerek átmenetileg zárva vannak.",
        "A hiba a központban van. Próbálja meg néhány perc múlva újra; ha tartós, jelentse be a kóddal együtt.",
    ),
    "tenant-mismatch": Page(
        403,
        "ASP-EDGE-TENANT-MISMATCH",
        "Ez a tanúsítvány másik önkormányzaté",
        "A bemutatott tanúsítvány nem ahhoz az önkormányzathoz tartozik, amelynek oldalát megnyitotta. "
        "Minden önkormányzat adatait csak a saját munkatársai érhetik el.",
        "Nyissa meg a saját önkormányzatának címét. Ha több önkormányzatnál dolgozik, zárja be a böngészőt, és "
        "belépéskor az itteni önkormányzathoz tartozó tanúsítványt válassza.",
    ),
    "unknown-host": Page(
        404,
        "ASP-EDGE-UNKNOWN-HOST",
        "Ismeretlen önkormányzati cím",
        "Ezen a címen nincs csatlakozott önkormányzat.",
        "Ellenőrizze a címet. Ha az önkormányzat most csatlakozik, az oldal a csatlakozás végén nyílik meg.",
    ),
    "unknown-path": Page(
        404,
        "ASP-EDGE-UNKNOWN-PATH",
        "Az oldal nem található",
        "Ilyen rendszer vagy oldal ezen a címen nincs.",
        "Induljon a keretrendszer kezdőlapjáról.",
    ),
    "bad-request": Page(
        400,
        "ASP-EDGE-BAD-REQUEST",
        "Hibás kérés",
        "A kérés címe vagy formája nem értelmezhető.",
        "Nyissa meg újra az oldalt a keretrendszer kezdőlapjáról.",
    ),
    "misdirected": Page(
        421,
        "ASP-EDGE-MISDIRECTED",
        "Eltévedt kérés",
        "A kapcsolat egy másik címhez épült fel, mint amelyet a kérés megnevez.",
        "Zárja be a böngészőt, és nyissa meg újra az oldalt.",
    ),
    "method": Page(
        405,
        "ASP-EDGE-METHOD",
        "Nem használható művelet",
        "Ezen a címen csak oldalak megnyitása és űrlapok beküldése lehetséges.",
        "Nyissa meg újra az oldalt a keretrendszer kezdőlapjáról.",
        (("Allow", "GET, HEAD, POST"),),
    ),
    "slow": Page(
        408,
        "ASP-EDGE-SLOW",
        "A beküldés túl sokáig tartott",
        "Az űrlap adatai nem érkeztek meg időben.",
        "Küldje be újra. Ha a hiba ismétlődik, ellenőrizze az internetkapcsolatot.",
    ),
    "length-required": Page(
        411,
        "ASP-EDGE-LENGTH-REQUIRED",
        "A beküldés mérete ismeretlen",
        "A kérés nem adta meg előre, mekkora adatot küld.",
        "Böngészőből küldje be az űrlapot; más program a Content-Length fejlécben adja meg a méretet.",
    ),
    "too-large": Page(
        413,
        "ASP-EDGE-TOO-LARGE",
        "A beküldött adat túl nagy",
        "A fájl vagy az űrlap nagyobb annál, mint amennyit ez az oldal fogadni tud.",
        "Lépjen vissza, nézze meg az oldalon a megengedett méretet, és küldjön kisebb fájlt.",
    ),
    "headers-too-large": Page(
        431,
        "ASP-EDGE-HEADERS-TOO-LARGE",
        "A kérés fejléce túl nagy",
        "A böngésző több adatot (például sütit) küldött a kéréssel, mint amennyi megengedett.",
        "Törölje az oldalhoz tárolt sütiket, majd nyissa meg újra.",
    ),
    "too-many-requests": Page(
        429,
        "ASP-EDGE-TOO-MANY-REQUESTS",
        "Túl sok kérés érkezett",
        "Erről a címről vagy ezzel a tanúsítvánnyal rövid idő alatt túl sok kérés érkezett.",
        "Várjon tíz másodpercet, majd próbálja újra.",
        (("Retry-After", "10"), ("Asp-Limit", "caller")),
    ),
    "too-many-sign-ins": Page(
        429,
        "ASP-EDGE-TOO-MANY-SIGN-INS",
        "Túl sok belépési kísérlet",
        "Erről a címről egy percen belül túl sok belépési kísérlet érkezett.",
        "Várjon egy percet, majd próbálja újra.",
        (("Retry-After", "60"), ("Asp-Limit", "sign-in")),
    ),
    "municipality-busy": Page(
        429,
        "ASP-EDGE-MUNICIPALITY-BUSY",
        "Az önkormányzat most túl sok kérést küld",
        "Ennek az önkormányzatnak a felhasználói ebben a rendszerben egyszerre több oldalt kértek, "
        "mint amennyi kiszolgálható.",
        "Várjon tíz másodpercet, majd próbálja újra; ha tartós, jelentse be a kóddal együtt.",
        (("Retry-After", "10"), ("Asp-Limit", "municipality")),
    ),
    "unavailable": Page(
        503,
        "ASP-EDGE-UNAVAILABLE",
        "A szolgáltatás átmenetileg nem érhető el",
        "A kért rendszer most nem válaszol.",
        "Próbálja meg néhány perc múlva újra; ha tartós, jelentse be a kóddal és az azonosítóval együtt.",
    ),
}

# In HAProxy's log-format a lone % starts a variable: the style sheet must not contain one.
_STYLE = (
    "body{margin:0;background:#f3f5f8;color:#1b2733;font:16px/1.6 system-ui,sans-serif}"
    "main{max-width:38rem;margin:12vh auto;padding:2rem 2.5rem;background:#fff;border-top:6px solid #8c1d2c;"
    "box-shadow:0 2px 12px rgba(20,30,50,.12)}h1{margin-top:0;font-size:1.5rem}"
    "footer{margin-top:2rem;padding-top:1rem;border-top:1px solid #d8dee6;color:#51606f;font-size:.85rem}"
    "code{font-size:.95em}"
)
# The page may show its own style and nothing else: no script, no picture, no form, no frame around it.
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def render(name: str) -> str:
    """The page as a HAProxy log-format file: HTML with the request's id left for the edge to fill in."""
    page = PAGES[name]
    title, text, advice = (escape(part).replace("%", "%%") for part in (page.title, page.text, page.advice))
    return (
        '<!doctype html>\n<html lang="hu"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} – ASP</title><style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{title}</h1><p>{text}</p><p><strong>Teendő:</strong> {advice}</p>\n"
        f"<footer>Hibakód: <code>{page.code}</code><br>Kérés azonosítója: <code>%[unique-id]</code></footer>"
        "</main></body></html>\n"
    )

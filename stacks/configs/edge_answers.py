"""Rules by which HAProxy answers with one of the edge's own pages and the headers that all answers carry."""

from __future__ import annotations

from stacks.configs.edge_pages import CONTENT_POLICY, PAGES

PAGES_DIR = "/etc/asp/pages"


def answer(page: str, condition: str) -> str:
    """A rule that ends the request with one of the edge's own pages."""
    return f"    http-request return status {PAGES[page].status} {_content(page)} {condition}"


def error(status: int, page: str) -> str:
    """The page in place of one of HAProxy's own errors."""
    return f"    http-error status {status} {_content(page)}"


def missing_headers() -> str:
    """What every answer carries, whoever gave it; a system's own values stay. A redirect shows nothing of its own."""
    headers = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
    }
    rules = [
        f"    http-after-response set-header {name} {value} unless {{ res.hdr({name}) -m found }}"
        for name, value in headers.items()
    ]
    own = "{ res.hdr(Asp-Edge-Refusal) -m found } or { status 300:399 } !{ res.hdr(Content-Security-Policy) -m found }"
    rules.append(f'    http-after-response set-header Content-Security-Policy "{CONTENT_POLICY}" if {own}')
    return "\n".join(rules)


def _content(page: str) -> str:
    headers = {
        "Cache-Control": "no-store",
        "Asp-Edge-Refusal": PAGES[page].code,
        **dict(PAGES[page].headers),
    }
    fields = " ".join(f'hdr {name} "{value}"' for name, value in headers.items())
    return f'content-type "text/html; charset=utf-8" {fields} lf-file {PAGES_DIR}/{page}.html'

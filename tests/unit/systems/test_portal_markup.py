"""Plain text to HTML: whatever comes in, only a few tags come out, and no text is lost."""

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from systems.portal.markup import html

ALLOWED = re.compile(r'</?(p|ul|li|h2)>|<br>|<a href="https?://[^"<>]*" rel="noopener nofollow">|</a>')
pieces = st.text() | st.sampled_from(
    ["<script>", "# ", "- ", "\n", "\n\n", "https://pelda.test/a?b=1&c=2", '"', "'", "javascript:", "&lt;", "</p>"]
)


@given(st.lists(pieces).map("".join))
def test_no_other_tag_ever_comes_out(text):
    remainder = ALLOWED.sub("", html(text))
    assert "<" not in remainder and ">" not in remainder


@given(st.lists(st.from_regex(r"[a-zőű<>&]{1,9}", fullmatch=True), min_size=1))
def test_words_are_kept(words):
    assert unescape(re.sub("<[^>]*>", " ", html(" ".join(words)))).split() == words


def test_marks():
    text = html("Bevezető\nmásodik sor\n\n# Cím\n- egy\n- kettő\nvége: https://pelda.test/x.")
    assert text == (
        "<p>Bevezető<br>második sor</p>\n<h2>Cím</h2>\n<ul><li>egy</li><li>kettő</li></ul>\n"
        '<p>vége: <a href="https://pelda.test/x" rel="noopener nofollow">https://pelda.test/x</a>.</p>'
    )

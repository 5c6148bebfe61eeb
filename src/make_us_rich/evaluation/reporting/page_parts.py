"""What every report page is made of: one document, its notices, its figures, its lists of words."""

from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources

from make_us_rich.evaluation.reporting.numbers import bound


def document(title: str, parts: Sequence[str]) -> str:
    """Return a whole page: nothing is loaded from outside, no script."""
    style = (resources.files("make_us_rich.evaluation.reporting") / "page.css").read_text("utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>\n{style}</style></head>\n<body><main>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def notice_box(notices: Sequence[str]) -> str:
    """Return what must be read before anything else; nothing where there is nothing."""
    words = "".join(f"<p>{escape(notice)}</p>" for notice in notices)
    return f'<div class="notice" role="alert">{words}</div>' if words else ""


def figure(title: str, caption: str, wide: str, narrow: str) -> str:
    """Return a figure with its two drawings, of which the style shows one."""
    return (
        f"<figure><h2>{escape(title)}</h2><figcaption>{escape(bound(caption))}</figcaption>"
        f'<div class="sheet"><div class="wide">{wide}</div><div class="narrow">{narrow}</div></div></figure>'
    )


def fact_strip(entries: Iterable[tuple[str, str, str]]) -> str:
    """Return large figures side by side, each (what it is, the figure, its yardstick)."""
    cells = (
        f'<div><dt>{escape(bound(term))}</dt><dd><span class="figure">{escape(written)}</span>'
        f"{escape(bound(remark))}</dd></div>"
        for term, written, remark in entries
    )
    return f'<dl class="facts">{"".join(cells)}</dl>'


def head_cells(heads: Sequence[str], n_words: int) -> str:
    """Return the heads of columns, the first `n_words` of which hold words."""
    # a long name may break after each of its parts
    words = [escape(bound(head)).replace("_", "_<wbr>") for head in heads]
    return "".join(
        f'<th scope="col" class="{"word" if i < n_words else "count"}">{head}</th>'
        for i, head in enumerate(words)
    )


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    """Return terms with what they mean."""
    rows = "".join(f"<dt>{escape(term)}</dt><dd>{escape(bound(words))}</dd>" for term, words in pairs)
    return f'<dl class="words">{rows}</dl>'

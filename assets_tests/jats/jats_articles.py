"""Small articles around one trait each."""

from pmc_assets.jats.article import Article, read_article

NAMESPACES = (
    'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:mml="http://www.w3.org/1998/Math/MathML" '
    'xmlns:ali="http://www.niso.org/schemas/ali/1.0/"'
)
GRAPHIC = '<graphic xlink:href="f1.jpg"/>'


def article_xml(
    body: str = "", *, meta: str = "", journal: str = "", rest: str = "", attributes: str = "", dtd: str = ""
) -> bytes:
    front = f"<front><journal-meta>{journal}</journal-meta><article-meta>{meta}</article-meta></front>"
    return f"{dtd}<article {NAMESPACES} {attributes}>{front}<body>{body}</body>{rest}</article>".encode()


def read(body: str = "", **parts: str) -> Article:
    return read_article(article_xml(body, **parts))


def figure(
    caption: str, graphic: str = GRAPHIC, label: str = "<label>Figure 1</label>", attributes: str = 'id="F1"'
) -> str:
    return f"<fig {attributes}>{label}{caption}{graphic}</fig>"


def caption_of(caption: str) -> str:
    return read(figure(f"<caption>{caption}</caption>")).figures[0]["caption"]

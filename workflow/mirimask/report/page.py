"""The pages of a study: one file each, nothing fetched, and nothing from outside runs in them.

Templates fill in texts escaped (jinja2, autoescape). Each page carries a content security policy
that allows exactly its own style and script, by their hashes, and images from data URIs: an
element that some header or catalogue smuggled in could neither run nor reach a network.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

__all__ = ["Cell", "PageTable", "frame_table", "link", "paired_table", "render_page", "size_words"]

_BOLD = "\N{START OF TEXT}"  # no control character survives in a header or a catalogue


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, and whether it is set in bold."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class PageTable:
    """A table of a page. `groups` are headings above the columns with the columns each spans."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    groups: Sequence[tuple[str, int]] = ()
    notes: Sequence[str] = field(default_factory=tuple)


def _cell(value: object) -> Cell:
    text = "" if value is None or value != value else str(value)
    return Cell(text.removeprefix(_BOLD), text.startswith(_BOLD))


def bold(text: str) -> str:
    """Mark the text of a cell for bold type; for the layouts of tables."""
    return _BOLD + text


def frame_table(
    frame: pd.DataFrame,
    *,
    caption: str,
    groups: Sequence[tuple[str, int]] = (),
    notes: Sequence[str] = (),
) -> PageTable:
    """A DataFrame as it is; the first column heads the rows. NaN and None become empty cells.

    `groups` are headings above the columns behind the first, with the columns each spans.
    """
    rows = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    return PageTable(caption, [str(name) for name in frame.columns], rows, groups, notes)


def paired_table(layout: pd.DataFrame, *, caption: str, notes: Sequence[str] = ()) -> PageTable:
    """The paper's layout: after the first column, two columns `<method> <what>` for each method."""
    names = [str(name) for name in layout.columns[1:]]
    groups = [(name.rpartition(" ")[0], 2) for name in names[::2]]
    table = frame_table(layout, caption=caption, notes=notes)
    columns = [str(layout.columns[0]), *(name.rpartition(" ")[2] for name in names)]
    return PageTable(caption, columns, table.rows, groups, notes)


def size_words(size: str) -> str:
    """A size of the configuration as a page says it: '1 fwhm' is '1 FWHM of the PSF'."""
    return size.replace(" fwhm", " FWHM of the PSF")


def link(path: str) -> str:
    """A file's path below the page as a relative URL.

    Raises ValueError for a path that would lead out of the page's folder.
    """
    parts = PurePosixPath(path).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise ValueError(f"'{path}' does not lie below the page")
    return "./" + quote(path)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("mirimask.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["link"] = link
    return environment


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def render_page(name: str, *, title: str, study: str, simulated: bool, **content: Any) -> str:
    """The page `templates/<name>.html` with its script `<name>.js`, as text.

    `content` is what the template asks for; one it does not get raises jinja2's UndefinedError.
    Equal arguments give equal texts.
    """
    environment = _environment()
    loader = environment.loader
    assert loader is not None
    style, marked, code = (
        loader.get_source(environment, file)[0]
        for file in ("page.css", "simulated.css", f"{name}.js")
    )
    style += marked if simulated else ""
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; "
        f"script-src {_hash(code)}; base-uri 'none'; form-action 'none'"
    )
    return environment.get_template(f"{name}.html").render(
        title=title,
        study=study,
        simulated=simulated,
        policy=policy,
        style=Markup(style),
        script=Markup(code),
        **content,
    )

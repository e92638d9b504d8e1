"""What a VOTable says of itself: that it is an error, that rows are missing, warnings.

A service answers with a table also where it failed, and says so in INFO elements, which readers
pass over (DALI 1.1, 4.4; VizieR's own names beside it).
"""

from dataclasses import dataclass

from astropy.io.votable.tree import VOTableFile

__all__ = ["Notes", "notes_of"]


@dataclass(frozen=True)
class Notes:
    """Texts of the errors and warnings of a VOTable, and whether it is only the first rows."""

    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    overflow: bool


def notes_of(document: VOTableFile) -> Notes:
    """What the INFO elements of a VOTable say, wherever in it they are; each text once."""
    found: dict[str, dict[str, None]] = {"ERROR": {}, "WARNING": {}, "OVERFLOW": {}}
    for info in document.iter_info():
        name, value = (str(text or "").strip() for text in (info.name, info.value))
        kind = name.upper()
        if kind == "QUERY_STATUS":
            kind = "ERROR" if value.upper() not in ("OK", "OVERFLOW") else value.upper()
            value = value if value.upper() != "ERROR" else ""
        text = " ".join(str(info.content or "").split()) or value
        if kind in found:
            found[kind][text] = None
    errors = [text for text in found["ERROR"] if text] or ["it does not say which"]
    return Notes(
        tuple(errors) if found["ERROR"] else (),
        tuple(text for text in found["WARNING"] if text),
        bool(found["OVERFLOW"]),
    )

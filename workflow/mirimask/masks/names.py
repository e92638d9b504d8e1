"""Names of masks: what they mean and how they combine.

`value_4.6`, `derivative_10`: a slice, with the percentage of pixels it retains; `@published` or
`@crop` behind it names its domain where that is not the study's.
`segmentation`: the pipeline's own. `recommended`, `sep`, `log`, ...: any other method of the
registry at its published level; `sep_2.5` at the level 2.5.
`value_1_or_derivative_4.6` is a union, `value_1_and_derivative_4.6` an intersection; both work on
masks of the names they join.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mirimask.errors import MaskError
from mirimask.masks.registry import METHODS

__all__ = [
    "DOMAINS",
    "MaskName",
    "check_domain",
    "check_methods",
    "curve_label",
    "leaves",
    "method_label",
    "parse_method",
    "spots_or_sources",
]

DOMAINS = ("published", "crop")


@dataclass(frozen=True)
class MaskName:
    """A parsed name.

    `method` is its key in the registry, `level` the one behind it (None: the published one),
    `domain` that of a slice (None: the study's), `parts` the names that a combination joins.
    """

    name: str
    method: str
    level: float | None = None
    domain: str | None = None
    parts: tuple[str, ...] = ()

    @property
    def is_slice(self) -> bool:
        return bool(METHODS[self.method].published)

    @property
    def percent(self) -> float | None:
        """The percentage of a slice, None for other masks."""
        return self.level if self.is_slice else None

    def needs_frame(self, domain: str) -> bool:
        """Whether it is made from the whole frame, where `domain` is the study's."""
        return (self.domain or domain) == "published" and METHODS[self.method].published == "frame"


def check_domain(domain: object) -> None:
    """MaskError for what is none of `DOMAINS`."""
    if domain not in DOMAINS:
        raise MaskError(f"the domain is {domain!r}; it must be one of {', '.join(DOMAINS)}.")


def parse_method(name: str) -> MaskName:
    """Parse the name of a mask; MaskError says what is wrong with it and what would be right."""
    if not isinstance(name, str):
        raise MaskError(f"methods: {name!r} is not the name of a mask, a text. Known: {_known()}.")
    for key, method in METHODS.items():
        if method.join and method.join in name:
            parts = tuple(name.split(method.join))
            for part in parts:
                parse_method(part)
            return MaskName(name, key, parts=parts)
    text, at, domain = name.partition("@")
    plain = {key: method for key, method in METHODS.items() if not method.join}
    if text in plain:
        key, level = text, None
    else:  # of `cores` and `cores_directions` the longer
        found = [key for key in plain if text.startswith(f"{key}_") and _has_levels(key)]
        key = max(found, key=len, default="")
        level = text[len(key) + 1 :]
    sliced = bool(key and METHODS[key].published)
    if not key or (sliced and level is None) or (at and not sliced):
        raise MaskError(f"methods: '{name}' is not a mask method. Known: {_known()}.")
    if sliced and at and domain not in DOMAINS:
        raise MaskError(f"methods: '{name}': the domain behind @ must be one of {DOMAINS}.")
    value = None if level is None else _checked(name, key, level)
    return MaskName(name, key, level=value, domain=domain if at else None)


def _has_levels(key: str) -> bool:
    """Whether a level may stand behind the name: the segmentation is the archive's."""
    return bool(METHODS[key].unit) and key != "segmentation"


def _known() -> str:
    """What may be written, for a message."""
    slices = [key for key, method in METHODS.items() if method.published]
    rest = [key for key, method in METHODS.items() if not (method.published or method.join)]
    return (
        ", ".join([*rest, *(f"{key}_<top percent>" for key in slices)])
        + " (value_4.6), and combinations with _or_ and _and_"
    )


def _checked(name: str, key: str, text: str) -> float:
    """The level of a name as a number, as the rules that make its file know one."""
    level = float(text) if re.fullmatch(r"\d+\.?\d*|\.\d+", text, re.ASCII) else float("nan")
    if METHODS[key].unit == "%" and not 0 < level < 100:
        raise MaskError(
            f"methods: '{name}' keeps '{text}' % of the pixels; the percentage must be "
            "a number above 0 and below 100, with a point for decimals (value_4.6)."
        )
    if not 0 < level < float("inf"):
        raise MaskError(
            f"methods: '{name}': the level '{text}' of {key} must be a number "
            "above 0, with a point for decimals."
        )
    return level


def leaves(name: str) -> Iterator[MaskName]:
    """The masks that a combination is made of, none of them one itself; else the mask."""
    parsed = parse_method(name)
    if not parsed.parts:
        yield parsed
    for part in parsed.parts:
        yield from leaves(part)


def check_methods(names: list[str]) -> list[MaskName]:
    """Parse all names; MaskError where two are the same mask in other digits (`value_1.0`)."""
    methods = [parse_method(name) for name in names]
    seen: dict[tuple, str] = {}
    for method in methods:
        key = _meaning(method)
        if key in seen:
            raise MaskError(
                f"methods: '{seen[key]}' and '{method.name}' are the same mask; remove one."
            )
        seen[key] = method.name
    return methods


def _meaning(mask: MaskName) -> tuple[object, ...]:
    """What a mask is, however its numbers are written."""
    parts = tuple(_meaning(parse_method(part)) for part in mask.parts)
    return (mask.method, mask.level, mask.domain, parts)


def method_label(name: str) -> str:
    """A mask as the paper's Table 3 heads it: 'Img Top 4.6 %', 'Orig. Segm.'

    Combinations are shorter: 'Img 1 % or Diff 4.6 %'.
    """
    parsed = parse_method(name)
    method = METHODS[parsed.method]
    if parsed.parts:
        join = method.join.replace("_", " ")
        return join.join(method_label(part).replace(" Top", "") for part in parsed.parts)
    heading = method.heading or method.label
    if parsed.is_slice:
        label = f"{heading} Top {parsed.level:g} %"
        return f"{label} ({parsed.domain} domain)" if parsed.domain else label
    return heading if parsed.level is None else f"{heading} at {parsed.level:g}"


def spots_or_sources(name: str, number: int = 2) -> str:
    """What that many labels of a mask are called.

    Spots are the connected areas of a percentage of the pixels, of which most are but noise, and of
    a combination; sources are what a method tells apart itself.
    """
    parsed = parse_method(name)
    what = "spot" if parsed.parts or METHODS[parsed.method].unit == "%" else "source"
    return what if number == 1 else f"{what}s"


def curve_label(method: str) -> str:
    """A method as the figure of curves calls it: 'value slice, top p %'; others by their name."""
    known = METHODS.get(method)
    if known is None:
        return method
    setting = {"%": ", top p %", "sigma": ", n sigma"}.get(known.unit, "")
    return known.curve_label or f"{known.label}{setting}"

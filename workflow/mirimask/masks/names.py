"""Names of mask methods: what they mean and how they combine.

`value_4.6`, `derivative_10`: a slice, with the percentage of pixels it retains.
`segmentation`: the pipeline's own. `recommended` and what else is a function of `mask_functions`.
`sep`, `log`, ...: a detector at its published level; `sep_2.5` at the level 2.5 (`detectors`).
`value_1_or_derivative_4.6` is a union, `value_1_and_derivative_4.6` an intersection; both work on
masks of the names they join.
`@published` or `@crop` behind a slice names its domain where that is not the study's.
"""

import re
from dataclasses import dataclass
from importlib import import_module

from mirimask.detectors import DETECTORS, split_level
from mirimask.errors import MaskError

__all__ = ["DOMAINS", "SLICES", "Method", "check_methods", "method_label", "parse_method"]

SLICES = ("value", "derivative")
DOMAINS = ("published", "crop")
_LABELS = {"value": "Img", "derivative": "Diff"}
_JOINS = {"_or_": "union", "_and_": "intersection"}
_SLICE = re.compile(rf"(?P<kind>{'|'.join(SLICES)})_(?P<percent>[^@]*)(?:@(?P<domain>.*))?")


@dataclass(frozen=True)
class Method:
    """A parsed method name.

    `kind` is a slice kind, `segmentation`, `function`, `union` or `intersection`; `percent` and
    `domain` belong to slices (`domain` is None where it is the study's), `parts` to combinations.
    """

    name: str
    kind: str
    percent: float | None = None
    domain: str | None = None
    parts: tuple[str, ...] = ()

    @property
    def is_slice(self) -> bool:
        return self.percent is not None


def _function_names() -> list[str]:
    # by its name: a script that only reads method names does not change with the masks behind them
    return import_module("mirimask.mask_functions").function_names()


def parse_method(name: str) -> Method:
    """Parse a method name; MaskError says what is wrong with it and what would be right."""
    for join, kind in _JOINS.items():
        if join in name:
            parts = tuple(name.split(join))
            for part in parts:
                parse_method(part)
            return Method(name, kind, parts=parts)
    if name == "segmentation":
        return Method(name, name)
    if name in _function_names() or split_level(name):
        return Method(name, "function")
    match = _SLICE.fullmatch(name)
    if match is None:
        raise MaskError(
            f"methods: '{name}' is not a mask method. Known: segmentation, "
            + ", ".join([*_function_names(), *DETECTORS])
            + ", "
            + ", ".join(f"{kind}_<top percent>" for kind in SLICES)
            + " (value_4.6), and combinations with _or_ and _and_."
        )
    try:
        percent = float(match["percent"])
    except ValueError:
        percent = float("nan")
    if not 0 < percent < 100:
        raise MaskError(
            f"methods: '{name}' keeps '{match['percent']}' % of the pixels; the percentage must be "
            "a number above 0 and below 100, with a point for decimals (value_4.6)."
        )
    if match["domain"] is not None and match["domain"] not in DOMAINS:
        raise MaskError(f"methods: '{name}': the domain behind @ must be one of {DOMAINS}.")
    return Method(name, match["kind"], percent=percent, domain=match["domain"])


def check_methods(names: list[str]) -> list[Method]:
    """Parse all names; MaskError where two are the same mask (`value_1` and `value_1.0` too)."""
    methods = [parse_method(name) for name in names]
    seen: dict[tuple, str] = {}
    for method in methods:
        key = (
            method.kind,
            method.percent,
            method.domain,
            method.parts,
            split_level(method.name) or method.name * (method.kind == "function"),
        )
        if key in seen:
            raise MaskError(
                f"methods: '{seen[key]}' and '{method.name}' are the same mask; remove one."
            )
        seen[key] = method.name
    return methods


def method_label(name: str) -> str:
    """A method as the paper's Table 3 heads it: 'Img Top 4.6 %', 'Orig. Segm.'

    Combinations are shorter: 'Img 1 % or Diff 4.6 %'.
    """
    method = parse_method(name)
    if method.parts:
        join = " or " if method.kind == "union" else " and "
        return join.join(method_label(part).replace(" Top", "") for part in method.parts)
    detector = split_level(name)
    if detector is not None:
        tool, level = detector
        return DETECTORS[tool].label + ("" if level is None else f" at {level:g}")
    if not method.is_slice:
        return "Orig. Segm." if name == "segmentation" else name
    label = f"{_LABELS[method.kind]} Top {method.percent:g} %"
    return f"{label} ({method.domain} domain)" if method.domain else label

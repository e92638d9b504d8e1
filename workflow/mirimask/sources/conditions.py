"""Conditions on the columns of a table, as a configuration has them: `FW1 > 20 * e_FW1`.

A condition is names of columns, numbers, texts in quotes, `+ - * /`, comparisons, `and`, `or`,
`not` (or `&`, `|`, `~` between conditions) and parentheses. Nothing else is evaluated: whoever
writes a configuration cannot run code with it.
"""

import ast
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mirimask.errors import MaskError

if TYPE_CHECKING:  # the study checks its conditions at every start
    from astropy.table import Table

__all__ = ["check_condition", "fulfilled"]

_ALLOWED = (
    "a condition is names of columns, numbers, texts in quotes, + - * /, comparisons, and, or, "
    "not, and parentheses"
)
_LONGEST = 1000  # characters; longer ones would only try how deep the parser can go

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_JOIN: dict[type[ast.operator] | type[ast.boolop], str] = {
    ast.And: "and",
    ast.BitAnd: "and",
    ast.Or: "or",
    ast.BitOr: "or",
}


def check_condition(condition: str) -> None:
    """MaskError where a text is no condition; it says what is wrong and what a condition is.

    Columns are not looked up. An empty text is no condition either; callers that allow one ask
    themselves.
    """
    tree = _parsed(condition)
    try:
        kind = _kind(tree, condition)
    except RecursionError:
        raise MaskError(f"'{condition[:60]} ...' is too long or too deep.") from None
    if kind == "value" and not isinstance(tree, ast.Name):
        raise MaskError(f"'{condition}' is a value, not a condition; compare it with something.")
    if not any(isinstance(node, ast.Name) for node in ast.walk(tree)):
        raise MaskError(f"'{condition}' names no column; {_ALLOWED}.")


def fulfilled(condition: str, table: "Table") -> NDArray[np.bool_]:
    """Which rows of a table fulfil a condition: bool, one a row.

    What is missing (masked, NaN, None) makes a comparison neither true nor false, and a row is
    only kept where the condition is true: `flag == 0`, `flag != 0` and `not flag == 0` all drop a
    row without a flag, `flag == 0 or FW1 > 20` keeps it where FW1 is above 20. Integers and texts
    are compared exactly; arithmetic is done in float64. MaskError for what is no condition, a
    column that is not there or has several values a row, and texts compared with numbers.
    """
    check_condition(condition)
    try:
        with np.errstate(all="ignore"):  # 1 / 0 is inf, 0 / 0 is missing
            value = _evaluated(_parsed(condition), table, condition)
    except OverflowError:
        raise MaskError(f"'{condition}': a number in it is too large.") from None
    if value.data.dtype.kind != "b":
        raise MaskError(
            f"'{condition}' is of numbers or texts, not of true and false; compare it with "
            "something."
        )
    return np.broadcast_to(value.data & ~value.missing, (len(table),)).copy()


def _parsed(condition: str) -> ast.expr:
    if len(condition) > _LONGEST:
        raise MaskError(f"'{condition[:60]} ...' has more than {_LONGEST} characters.")
    try:
        return ast.parse(condition.strip(), mode="eval").body
    except SyntaxError as error:
        raise MaskError(
            f"'{condition}' cannot be read as a condition ({error.msg}); {_ALLOWED}."
        ) from None
    except (ValueError, RecursionError, MemoryError):  # a null byte; too many parentheses
        raise MaskError(f"'{condition[:60]}' cannot be read as a condition; {_ALLOWED}.") from None


def _kind(node: ast.expr, condition: str) -> str:
    """'condition' or 'value', of a node all of whose parts are allowed; MaskError for any other."""

    def all_are(wanted: str, parts: list[ast.expr], what: str) -> None:
        for part in parts:
            kind = _kind(part, condition)
            # a column of true and false is a condition, which only the table knows
            if kind != wanted and not (wanted == "condition" and isinstance(part, ast.Name)):
                raise MaskError(
                    f"'{condition}': {what} stands beside '{ast.unparse(part)}', which is a "
                    f"{kind}; put parentheses around each comparison."
                )

    match node:
        case ast.Name(id=name) if not (name.startswith("__") or name.endswith("__")):
            return "value"
        case ast.Constant(value=bool() | int() | float() | str()):
            return "value"
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=part):
            all_are("value", [part], "a sign")
            return "value"
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=part):
            all_are("condition", [part], "not")
            return "condition"
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            all_are("value", [left, right], "arithmetic")
            return "value"
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _JOIN:
            all_are("condition", [left, right], "'&' or '|'")
            return "condition"
        case ast.BoolOp(values=parts):
            all_are("condition", parts, "'and' or 'or'")
            return "condition"
        case ast.Compare(left=left, ops=ops, comparators=others) if all(
            type(op) in _COMPARE for op in ops
        ):
            all_are("value", [left, *others], "a comparison")
            return "condition"
    raise MaskError(f"'{condition}': '{ast.unparse(node)}' is not allowed; {_ALLOWED}.")


class _Value(NamedTuple):
    """Values, one a row or one for all, and where they are missing."""

    data: NDArray[Any]
    missing: NDArray[np.bool_]


def _evaluated(node: ast.expr, table: "Table", condition: str) -> _Value:
    """A node that `_kind` has passed."""

    def of(part: ast.expr) -> _Value:
        return _evaluated(part, table, condition)

    match node:
        case ast.Name(id=name):
            return _column(name, table, condition)
        case ast.Constant(value=constant):
            return _Value(np.asarray(constant), np.asarray(False))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)):
            return _Value(np.asarray(-number), np.asarray(False))  # exact, as without its sign
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=part):
            value = _numbers(of(part), part, condition)
            return _Value(-value.data if isinstance(sign, ast.USub) else value.data, value.missing)
        case ast.UnaryOp(operand=part):
            value = _truth(of(part), part, condition)
            return _Value(~value.data, value.missing)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            one, other = (_numbers(of(part), part, condition) for part in (left, right))
            result = np.asarray(_ARITHMETIC[type(op)](one.data, other.data))
            return _Value(result, one.missing | other.missing | np.isnan(result))
        case ast.BinOp(left=left, op=op, right=right):
            parts = [_truth(of(part), part, condition) for part in (left, right)]
            return _joined(_JOIN[type(op)], parts)
        case ast.BoolOp(op=op, values=values):
            return _joined(_JOIN[type(op)], [_truth(of(v), v, condition) for v in values])
        case ast.Compare(left=left, ops=ops, comparators=others):
            chain = [left, *others]
            links = zip(chain, ops, others, strict=False)
            return _joined("and", [_compared(a, op, b, of, condition) for a, op, b in links])
    raise AssertionError(ast.dump(node))


def _column(name: str, table: "Table", condition: str) -> _Value:
    if name not in table.colnames:
        raise MaskError(
            f"'{condition}': there is no column '{name}'; there are {', '.join(table.colnames)}."
        )
    column = table[name]
    if getattr(column, "ndim", 1) != 1:
        raise MaskError(f"'{condition}': column '{name}' has more than one value a row.")
    data, missing = np.ma.getdata(column), np.ma.getmaskarray(column)
    data = np.asarray(data)
    if data.dtype.kind == "O":
        none = np.array([v is None or v is np.ma.masked or v != v for v in data], dtype=bool)
        missing = missing | none
        kinds = {type(value) for value in data[~missing]}
        if kinds <= {str}:
            data = np.where(missing, "", data).astype(str)
        elif kinds <= {bool}:
            data = np.where(missing, False, data).astype(bool)
        elif all(issubclass(kind, int | float | np.number) for kind in kinds):
            data = np.where(missing, np.nan, data).astype(float)
    if data.dtype.kind == "S":
        data = np.char.decode(data, "utf-8", "replace")
    if data.dtype.kind not in "biufU":
        raise MaskError(f"'{condition}': column '{name}' holds neither numbers nor texts.")
    if data.dtype.kind == "f":
        missing = missing | np.isnan(data)
    return _Value(data, missing)


def _numbers(value: _Value, node: ast.expr, condition: str) -> _Value:
    if value.data.dtype.kind in "iufO":  # an integer beyond 64 bits is an object
        return _Value(value.data.astype(np.float64), value.missing)
    raise MaskError(f"'{condition}': '{ast.unparse(node)}' is not a number.")


def _truth(value: _Value, node: ast.expr, condition: str) -> _Value:
    if value.data.dtype.kind == "b":
        return value
    raise MaskError(
        f"'{condition}': '{ast.unparse(node)}' is not true or false; compare it with something."
    )


def _compared(
    left: ast.expr,
    op: ast.cmpop,
    right: ast.expr,
    of: Callable[[ast.expr], _Value],
    condition: str,
) -> _Value:
    one, other = of(left), of(right)
    for value in (one, other):
        if value.missing.size > 0 and value.missing.all():  # of either kind
            return _Value(np.zeros(value.missing.shape, bool), value.missing)
    texts = {value.data.dtype.kind == "U" for value in (one, other)}
    if len(texts) > 1:
        raise MaskError(
            f"'{condition}': '{ast.unparse(left)}' and '{ast.unparse(right)}' are a text and a "
            "number, which cannot be compared. Texts stand in quotes."
        )
    # a single number takes the type of the column that it is compared with
    a, b = (value.data.item() if value.data.ndim == 0 else value.data for value in (one, other))
    result = np.asarray(_COMPARE[type(op)](a, b), dtype=bool)
    return _Value(result, one.missing | other.missing)


def _joined(how: str, parts: list[_Value]) -> _Value:
    """and, or: known where one part decides, whatever the others are."""
    decides = how == "or"
    decided = np.asarray(False)
    missing = np.asarray(False)
    for part in parts:
        decided = decided | (~part.missing & (part.data == decides))
        missing = missing | part.missing
    missing = missing & ~decided
    return _Value(decided if decides else ~decided & ~missing, missing)

"""Configuration and table rows against their schemas, and what is wrong with them in one line."""

import math
from collections.abc import Iterator, Mapping
from copy import deepcopy
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError, validators
from jsonschema.exceptions import best_match
from jsonschema.protocols import Validator
from mirimask.errors import MaskError
from referencing import Registry, Resource

__all__ = ["columns", "complete", "unknown_names", "wrong_cells"]

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
_REFERRED = "simulation.schema.yaml"  # by config.schema.yaml
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where there is one: every run waits


@cache
def _schema(name: str) -> dict[str, Any]:
    return yaml.load((SCHEMAS / name).read_text(encoding="utf-8"), _LOADER)


def _with_defaults(check: Any) -> Any:
    """A check of properties that first fills in those that are not given."""

    def properties(
        validator: Validator, schemas: Mapping[str, Any], instance: Any, schema: Any
    ) -> Iterator[ValidationError]:
        if isinstance(instance, dict):
            for name, own in schemas.items():
                if "default" in own:
                    instance.setdefault(name, deepcopy(own["default"]))
        yield from check(validator, schemas, instance, schema)

    return properties


def complete(config: dict[str, Any]) -> None:
    """Check a configuration and fill in the schema's defaults, in place.

    MaskError names the key that is wrong, and what it is for.
    """
    plain = Draft202012Validator
    filling = validators.extend(
        plain, {"properties": _with_defaults(plain.VALIDATORS["properties"])}
    )
    registry: Registry = Registry().with_resource(
        _REFERRED, Resource.from_contents(_schema(_REFERRED))
    )
    problem = best_match(
        filling(_schema("config.schema.yaml"), registry=registry).iter_errors(config)
    )
    if problem:
        raise MaskError(_complaint(problem, "configuration"))
    for key, value in _numbers(config):
        if not math.isfinite(value):
            raise MaskError(f"configuration: {key}: {value} is no number. See config/README.md.")


def _numbers(value: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Every float in a configuration with its key: a schema takes infinity and NaN for numbers."""
    if isinstance(value, float):
        yield key, value
    elif isinstance(value, dict | list):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _numbers(part, f"{key}.{name}" if key else str(name))


@cache
def _rows() -> Validator:
    return Draft202012Validator(_schema("images.schema.yaml"))


def columns() -> list[str]:
    """The columns that a table of images may have."""
    return list(_schema("images.schema.yaml")["properties"])


def wrong_cells(row: Mapping[str, str], where: str) -> str:
    """What is wrong with the cells of a row of the table of images; '' where nothing is."""
    given = {key: cell for key, cell in row.items() if cell}
    problem = best_match(_rows().iter_errors(given))
    return _complaint(problem, where) if problem else ""


def _complaint(problem: ValidationError, where: str) -> str:
    key = ".".join(map(str, problem.absolute_path))
    about = problem.schema.get("description", "") if isinstance(problem.schema, dict) else ""
    said = problem.message
    if problem.validator == "additionalProperties" and isinstance(problem.instance, dict):
        known = list(problem.schema.get("properties", {}))
        said = unknown_names([name for name in problem.instance if name not in known], known, "key")
    elif problem.validator in ("minItems", "maxItems"):
        count, limit = len(problem.instance), problem.validator_value
        least = "at least" if problem.validator == "minItems" else "at most"
        said = f"{problem.instance} must have {least} {limit} entries, and has {count}"
    elif problem.validator == "pattern" and about:  # which says it better than the pattern
        said = f"'{problem.instance}' has not the form that it must have"
    texts = ""
    if where == "configuration" and _is_no_text(problem.instance):
        texts = (
            " It was given as a text, as Snakemake takes what is in {} after --config: give "
            "numbers, null, true and false there in a file (--configfile)."
        )
    return (
        f"{where}: {f'{key}: ' if key else ''}{said}."
        f"{f' This is for: {about}.' if about and key else ''}{texts} See config/README.md."
    )


def _is_no_text(value: Any) -> bool:
    """Whether a text is what YAML would read as a number, null, true or false."""
    try:
        return isinstance(value, str) and not isinstance(yaml.load(value, _LOADER), str)
    except yaml.YAMLError:
        return False


def unknown_names(names: list[str], known: list[str], what: str) -> str:
    """For a message: `names` that are not among the `known` ones, and the nearest of those."""
    lower = {name.lower(): name for name in known}
    said = []
    for name in map(str, names):
        near = get_close_matches(name.lower(), lower, n=1)
        said.append(f"'{name}' is no {what}" + "".join(f" (is '{lower[n]}' meant?)" for n in near))
    return f"{', '.join(said)}; known: {', '.join(known)}"

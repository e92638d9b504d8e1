"""A person's own files: whether they are there, can be used, and are those that were imported."""

import hashlib
import json
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mirimask.errors import MaskError

from study.settings import Study
from study.usable import header_of, of_the_machine, wrong_filter

__all__ = ["check_files", "check_headers", "contents", "left_behind", "own_contents"]


def check_files(study: Study) -> None:
    """MaskError with every file that is named, in the configuration or the table, and is absent."""
    lacking = [
        f"row '{image}' names the {key} '{path}'"
        for image in study.images
        for key, path in study.own_files(image).items()
        if not Path(path).is_file()
    ]
    paths = [path for image in study.images for path in study.own_files(image).values()]
    if braced := [path for path in paths if "{" in path or "}" in path]:
        raise MaskError(
            f"images: '{braced[0]}' has a brace in its name, which Snakemake takes for a wildcard. "
            "Rename the file or its folder."
        )
    if lacking:
        raise MaskError(
            f"images: {'; '.join(lacking)}; no such file is there. Correct the table of images "
            f"('{', '.join(study.config['images'])}'); paths are from the working directory."
        )
    for key, paths in (
        ("by_eye.files", study.config["by_eye"]["files"]),
        ("published", [f"{study.config['published']}/table{n}.csv" for n in (1, 2, 3)]),
    ):
        absent = [path for path in paths if study.config["published"] or key != "published"]
        absent = [path for path in absent if not Path(path).is_file()]
        if absent:
            raise MaskError(f"{key}: no such file: {', '.join(absent)}.")


def check_headers(study: Study) -> None:
    """MaskError for images whose files show that they do not fit the settings, all in one.

    Looked at are own images that are not imported yet: their filter, which the table or the header
    must give and which must be the same in both, whether the crop lies in the frame, and whether
    their catalogue has the columns of the configuration. Of those that are, only the crop, which
    may have been changed since. What is wrong with a file itself is said by its import.
    """
    problems = []
    for image, row in study.images.items():
        if study.source_of(image) != "local":
            continue
        if _record(study, image).exists():
            shape = _noted(study, image).get(row["i2d"], {}).get("shape")
            problems += _outside(study, image, shape)
            continue
        header = header_of(row["i2d"])
        if header is None:
            continue
        where = f"row '{image}'"
        problems += wrong_filter(row, header, where)
        problems += _outside(study, image, header["shape"])
        problems += _without_columns(study, row["catalogue"], where)
    if problems:
        raise MaskError(f"images: {'; '.join(problems)}.")


def left_behind(study: Study, *, since: float) -> str:
    """The images of one's own that could not be read, and the way to the report of the others.

    From the logs of their imports that were written `since` a time (seconds), for the end of a run
    that failed and began then; '' where there are none.
    """
    said = {}
    results = Path("results") / study.name
    for image in study.images:
        log, made = (
            results / f"logs/import_local/{image}.log",
            results / f"archive/{image}/i2d.fits",
        )
        of_this_run = log.exists() and log.stat().st_mtime >= since
        if study.source_of(image) == "local" and of_this_run and not made.exists():
            lines = log.read_text(encoding="utf-8").splitlines()
            problem = next((line for line in lines if line.startswith("ERROR")), "")
            if problem and not of_the_machine(problem):
                said[image] = problem.partition(": ")[2].removeprefix(f"{image}: ")
    if not said:
        return ""
    remedy = "Mend them and run again."
    if len(said) < len(study.images):
        out = ", ".join([*study.config["leave_out"], *said])
        remedy += (
            " Or have the report of the others without them: the same command with --config "
            f"'leave_out=[{out}]', or 'leave_out: [{out}]' in the configuration."
        )
    named = [f"  {image}: {problem}" for image, problem in said.items()]
    return "\n".join(["These images could not be used:", *named, f"{remedy}\n"])


def _without_columns(study: Study, path: str, where: str) -> list[str]:
    if not path:
        return []
    import logging

    from mirimask.sources.conditions import fulfilled
    from mirimask.sources.own_catalogues import MissingColumn, read_catalogue

    own, logger = study.config["catalogue"], logging.getLogger("mirimask")
    quiet = logging.NullHandler()  # the import says all else
    logger.addHandler(quiet)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = read_catalogue(path, id_=own["id"], ra=own["ra"], dec=own["dec"])
            if own["keep"] and len(table):
                try:
                    fulfilled(own["keep"], table)
                except MaskError as error:
                    said = str(error).rstrip(".")
                    return [f"{where}: catalogue '{path}': catalogue.keep: {said}"]
    except MissingColumn as error:
        return [f"{where}: {str(error).rstrip('.')}"]
    except Exception:  # a damaged file: the import says what is wrong
        return []
    finally:
        logger.removeHandler(quiet)
    return []


def _outside(study: Study, image: str, shape: Sequence[int] | None) -> list[str]:
    if shape is None or len(shape) != 2:
        return []
    (ny, nx), path = shape, study.images[image]["i2d"]
    rows, columns = study.crop_of(image, "rows"), study.crop_of(image, "columns")
    (y0, y1), (x0, x1) = rows or [0, ny], columns or [0, nx]
    if y1 <= ny and x1 <= nx:
        return []
    return [
        f"row '{image}': the crop of rows {y0} to {y1} and columns {x0} to {x1} does not fit into "
        f"'{path}', a frame of {ny} rows and {nx} columns; set 'crop' in the configuration or in "
        "the table of images, none for the whole frame"
    ]


def _record(study: Study, image: str) -> Path:
    return Path(f"results/{study.name}/archive/{image}/inputs.json")


def _noted(study: Study, image: str) -> dict[str, Any]:
    """What the import noted of an image's own files (inputs.json), by their paths."""
    try:
        noted: dict[str, Any] = json.loads(_record(study, image).read_text())
    except (OSError, ValueError):
        return {}
    return noted


@cache
def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def contents(paths: Iterable[str]) -> list[str]:
    """The SHA-256 of each file, '' for one that is not there.

    As a parameter of a rule it shows a file that was replaced, also by an older one, which
    Snakemake, going by dates, would pass over. Take the paths from the configuration: Snakemake
    also passes over a parameter that is a function of the rule's `input`.
    """
    return [_sha256(path) if Path(path).is_file() else "" for path in paths]


def own_contents(study: Study, image: str) -> dict[str, str]:
    """As `contents`, of an image's own files by their column.

    A file of the size and date that the import noted (inputs.json) is not read again.
    """
    noted, found = _noted(study, image), {}
    for key, path in study.own_files(image).items():
        known = noted.get(path, {})
        try:
            state = Path(path).stat()
            same = known.get("size") == state.st_size and known.get("mtime_ns") == state.st_mtime_ns
        except OSError:
            same = False
        found[key] = known["sha256"] if same else contents([path])[0]
    return found

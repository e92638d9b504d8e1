"""Images of one's own that cannot be used: found before the first job, and left out with a reason.

An image is read as its import and its crop will read it, once for each version of its files;
what was found is noted, so that a start with nothing new reads none.
"""

import json
import logging
import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirimask.atomic import DISK_FAULTS, write_text
from mirimask.errors import MaskError
from mirimask.image.instrument import imaging_filter

from study.code import code

if TYPE_CHECKING:
    from study.settings import Study

__all__ = ["header_of", "notice", "of_the_machine", "unusable", "wrong_filter"]

_logger = logging.getLogger("mirimask")


def unusable(study: "Study") -> dict[str, str]:
    """The images of one's own that cannot be used, each with what is wrong with it.

    Only where there are others: a study's only image is left to its import. Files that are not
    there (yet) are not looked at.
    """
    own = [image for image in study.images if study.source_of(image) == "local"]
    if len(study.images) < 2 or not own:
        return {}
    place = Path("results") / study.name / "own_images.json"
    try:
        noted = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        noted = {}
    if not isinstance(noted, dict):
        noted = {}
    found: dict[str, dict[str, Any]] = {}
    for image in own:
        if not all(Path(path).is_file() for path in study.own_files(image).values()):
            continue
        state, known = _state(study, image), noted.get(image, {})
        same = known.get("state") == state
        found[image] = known if same else {"state": state, "problem": _problem(study, image)}
    if found != noted:
        with suppress(OSError):  # read only: it is asked again at the next start
            write_text(place, json.dumps(found, indent=1) + "\n")
    return {image: note["problem"] for image, note in found.items() if note["problem"]}


def notice(study: "Study") -> str:
    """What a person is told of the images that were left out; '' where there are none."""
    if not study.unusable:
        return ""
    return "\n".join(
        [
            "These images cannot be used; the study goes on without them:",
            *(f"  {image}: {problem}" for image, problem in study.unusable.items()),
            "",
        ]
    )


def _state(study: "Study", image: str) -> dict[str, Any]:
    """All that an answer depends on, as JSON has it."""
    files = {path: Path(path).stat() for path in study.own_files(image).values()}
    return {
        "files": {path: [file.st_size, file.st_mtime_ns] for path, file in files.items()},
        "row": study.images[image],
        "crop": [study.crop_of(image, axis) for axis in ("rows", "columns")],
        "catalogue": {key: study.config["catalogue"][key] for key in ("id", "ra", "dec")},
        "code": [code("mirimask.sources.own_image"), code("mirimask.image.files")],
    }


def header_of(path: str) -> dict[str, Any] | None:
    """FILTER and shape of an image's file; None where it cannot be read."""
    from astropy.io import fits

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with fits.open(path) as hdus:
                images = [hdu for hdu in hdus if getattr(hdu, "is_image", False) and hdu.shape]
                science = next((hdu for hdu in images if hdu.name == "SCI"), None)
                science = science or next(iter(images), None)
                headers = [hdus[0].header, *([science.header] if science else [])]
                bands = [str(header.get("FILTER") or "").strip() for header in headers]
                return {
                    "filter": next(filter(None, bands), ""),
                    "shape": science.shape if science else None,
                }
    except Exception:  # damaged files: the import says what is wrong
        return None


def wrong_filter(row: dict[str, str], header: dict[str, Any], where: str) -> list[str]:
    """What is wrong with the filter that a row and the header (of `header_of`) give; none: []."""
    problems = []
    band = row["filter"] or header["filter"]
    if not band:
        problems.append(
            f"{where} gives no filter, and neither does the header of '{row['i2d']}' (FILTER); "
            "the width of the PSF follows from it"
        )
    else:
        try:
            imaging_filter(band)
        except MaskError as error:
            problems.append(f"{where} ('{row['i2d']}'): {str(error).rstrip('.')}")
    if row["filter"] and header["filter"].upper() not in ("", row["filter"].upper()):
        problems.append(
            f"{where} gives the filter {row['filter']}, the header of '{row['i2d']}' has "
            f"{header['filter']} (FILTER); correct the table, or leave its cell empty"
        )
    return problems


def of_the_machine(problem: str) -> bool:
    """Whether what went wrong is the machine's fault, not an image's: its disk or its memory."""
    return any(words in problem for words in (*map(os.strerror, DISK_FAULTS), "too little memory"))


def _problem(study: "Study", image: str) -> str:
    # here, as most starts read no image and these imports take longer than all else
    from mirimask.image.files import frame_of
    from mirimask.image.frame import crop_frame
    from mirimask.sources.own_image import read_own

    row, given = study.images[image], study.config["catalogue"]
    header = header_of(row["i2d"])
    if header and wrong_filter(row, header, image):
        return ""  # it stops the study, as it is a mistake in the table: check_headers
    quiet = logging.NullHandler()  # its import says the warnings
    _logger.addHandler(quiet)
    try:
        i2d = read_own(study.own_files(image), row, given, image=image).i2d
        frame = frame_of(i2d, what=f"{image}: i2d")
        ends = [study.crop_of(image, axis) for axis in ("rows", "columns")]
        rows, columns = ((part[0], part[1]) if part else None for part in ends)
        # a crop outside is a mistake in the configuration, which stops the study: check_headers
        if all(not part or part[1] <= n for part, n in zip(ends, frame.data.shape, strict=True)):
            crop_frame(frame, rows=rows, columns=columns, image=image)
    except MaskError as error:
        # what the machine lacks today is said by the import, and is not noted of the image
        return "" if of_the_machine(str(error)) else str(error).removeprefix(f"{image}: ")
    finally:
        _logger.removeHandler(quiet)
    return ""

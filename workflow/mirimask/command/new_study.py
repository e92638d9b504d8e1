"""`mirimask new-study`: the table of images and the configuration of a study of one's own."""

import argparse
import logging
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mirimask.atomic import write_text
from mirimask.command.inputs import SETTINGS, about
from mirimask.command.outputs import stem_of
from mirimask.command.speech import fault
from mirimask.errors import MaskError

__all__ = ["add_new_study", "run_new_study"]

_logger = logging.getLogger("mirimask")

_EXAMPLES = """examples:
  mirimask new-study mine data/*_i2d.fits
  snakemake --cores 8 products --configfile mine/study.yaml    # in a clone of this project
A _segm.fits beside an _i2d.fits is used as its segmentation.
"""
_CONFIGURATION = """\
# A study of own images, written by `mirimask new-study`; every key: config/README.md.
# Masks, labels, catalogues, regions and a page, results/{name}/products.html:
#   snakemake --cores 8 --keep-going products --configfile {path}
# The paper's tables and figures of them, and what masks are worth, results/{name}/index.html:
#   snakemake --cores 8 --keep-going --configfile {path}
study: {study}
images: {table}
archive: {{source: local}}
crop: null # the whole frame
slice_domain: crop
also_other_domain: false # percentages of frame and zeros, as the paper's script took them
# A catalogue that sources are scored with: its file in the column `catalogue` of the table, and
# here what it is called and its columns:
# catalogue: {{name: gaia, id: source_id, ra: ra, dec: dec}}
"""
_SETTINGS = SETTINGS | {
    "fwhm_arcsec": "`mirimask mask` alone takes one",
    "pixel_unit": "write its unit into a column `pixel_unit` of a table of images",
}
_LONGEST = 80  # letters of a code: the schema's most, and room for a number
_COLUMNS = ("image", "filter", "i2d", "segm", "catalogue")


def add_new_study(commands: Any) -> None:
    """Add the subcommand to those of an argument parser."""
    sub = commands.add_parser(
        "new-study",
        help="write the two files of a study of your own images",
        description="Write FOLDER/images.tsv and FOLDER/study.yaml, a study of these images.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sub.add_argument("folder", metavar="FOLDER", help="made where it is not there; names the study")
    sub.add_argument("image", nargs="+", metavar="IMAGE", help="an i2d, or any image with a WCS")
    sub.add_argument("--filter", default="", metavar="F770W", help="of headers without FILTER")
    sub.add_argument("--overwrite", action="store_true", help="replace files that are there")
    sub.add_argument("--quiet", action="store_true", help="say nothing but errors")


def run_new_study(options: argparse.Namespace, *_: object) -> int:
    """Write the two files, of the images that can be used; MaskError where none can.

    The others are warnings, as those that a study finds later are (`study.usable`).
    """
    folder = Path(options.folder)
    table, configuration = folder / "images.tsv", folder / "study.yaml"
    for path in (table, configuration):
        if path.exists() and not options.overwrite:
            raise MaskError(f"'{path}' is there already; add --overwrite to replace it.")
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", folder.resolve().name).lstrip("_.-") or "mine"
    codes = _codes(options.image)
    rows, problems = [], []
    for code, image in codes.items():
        try:
            with about(image):
                rows.append(_row(code, image, options.filter))
        except (MaskError, OSError) as error:
            problems.append(str(error))
        except Exception as error:  # a fault of the program: the study is of the others
            problems.append(fault(image, error))
    if not rows:
        raise MaskError(" ".join(problems))
    for problem in problems:
        _logger.warning("left out of the study: %s", problem)
    lines = ["\t".join(_COLUMNS), *("\t".join(row[key] for key in _COLUMNS) for row in rows)]
    write_text(table, "\n".join(lines) + "\n")
    texts = {"study": _yaml(name), "table": _yaml(str(table.resolve()))}  # 1386 is a number else
    text = _CONFIGURATION.format(name=name, path=shlex.quote(str(configuration)), **texts)
    write_text(configuration, text)
    if not options.quiet:
        print(f"{table}: {len(rows)} image{'s' if len(rows) > 1 else ''}")
        print(f"{configuration}: study {name}")
        print("Next, in a clone of this project (`make env` there sets up .venv):", file=sys.stderr)
        quoted = shlex.quote(str(configuration.resolve()))
        print(f"  snakemake --cores 8 --keep-going products --configfile {quoted}", file=sys.stderr)
    return 0


def _yaml(text: str) -> str:
    """A text as one of YAML, whatever it looks like."""
    return "'" + text.replace("'", "''") + "'"


def _codes(paths: Sequence[str]) -> dict[str, str]:
    """A code for each image, by which its files are named: from its file's name, none twice."""
    codes: dict[str, str] = {}
    taken = {"all"}  # tables call the sum of all images so; some file systems know no capitals
    for path in paths:
        code = re.sub(r"[^A-Za-z0-9_.-]", "_", stem_of(path))[:_LONGEST].strip("_.-") or "image"
        number = 2
        while code.lower() in taken:
            code = f"{code.rpartition('-')[0] if number > 2 else code}-{number}"
            number += 1
        taken.add(code.lower())
        codes[code] = path
    return codes


def _row(code: str, path: str, band: str) -> dict[str, str]:
    """The image's row of the table; MaskError where a study could not use it."""
    from mirimask.image.files import open_image
    from mirimask.image.instrument import imaging_filter

    whole = Path(path).absolute()  # as it is named: a link may have its segmentation beside it
    try:
        frame = open_image(path, settings=_SETTINGS)
    except MaskError:
        if not band:
            raise
        frame = open_image(path, filter_name=band, settings=_SETTINGS)
    band = str(frame.primary["FILTER"]).strip().upper()
    try:
        imaging_filter(band)
    except MaskError as error:
        raise MaskError(
            f"'{path}': {error} A study simulates the PSF of MIRI's filters, so leave this image "
            "out; `mirimask mask` makes masks of other cameras' images."
        ) from None
    segm = None
    for at in (whole, whole.resolve()):
        named = at.name.replace("_i2d.fits", "_segm.fits")
        beside = (at.with_name(name) for name in (named, named.removesuffix(".gz")))
        segm = segm or next((f for f in beside if named != at.name and f.is_file()), None)
    if re.search(r"[\t\r\n\"{}]", str(whole)):
        raise MaskError(
            f"'{whole}': its name has a tab, a line break, a quote or a brace; rename it."
        )
    return {
        "image": code,
        "filter": band,
        "i2d": str(whole),
        "segm": str(segm or ""),
        "catalogue": "",
    }

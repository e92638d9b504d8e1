"""What can be typed: the options of `mirimask`, their help, and their values, checked."""

import argparse
from typing import Any, NoReturn

from mirimask import __version__
from mirimask.command.new_study import add_new_study
from mirimask.masks.registry import METHODS

__all__ = ["Parser", "parser"]

EXAMPLES = {
    "": """examples:
  mirimask stats  jw01386-o014_t004_miri_f770w_i2d.fits
  mirimask mask   jw01386-o014_t004_miri_f770w_i2d.fits -o mask.fits --regions mask.reg
  mirimask score  jw01386-o014_t004_miri_f770w_i2d.fits unwise.ecsv
  mirimask mask --help
""",
    "mask": """examples:
  the recommended mask, as 0 and 1 in the frame of the image:
    mirimask mask i2d.fits -o mask.fits
  everything of it, with the catalogue's sources matched and drawn:
    mirimask mask i2d.fits -o mask.fits --labels labels.fits --catalogue sources.ecsv \\
        --regions sources.reg --sources unwise.ecsv
  the paper's crop and its slice of 4.6 % of the derivative:
    mirimask mask i2d.fits --method derivative_4.6 --crop 20:1000,430:1020 -o mask.fits
  an image of another origin, with nJy in its pixels and no FILTER in its header:
    mirimask mask mosaic.fits --filter F770W --pixel-unit nJy --weight wht.fits -o mask.fits

The mask is a boolean array after .astype(bool), of the shape of the image:
  mask = fits.getdata("mask.fits", "MASK").astype(bool)
  Background2D(data, 50, mask=mask)
""",
    "score": """\
A source is a success where the mask marks a bright point of the image (a reference peak) within
the radius, a near miss where it does so within the distance after it, else a failure.

examples:
  mirimask score i2d.fits unwise.ecsv
  mirimask score i2d.fits unwise.ecsv --method recommended --method segmentation
  mirimask score i2d.fits my.csv --ra RA --dec DEC --id NAME --radius '1 arcsec' -o verdicts.csv
""",
    "stats": """examples:
  mirimask stats i2d.fits
  mirimask stats i2d.fits --crop 20:1000,430:1020
  mirimask stats i2d.fits --json | jq .kurtosis
""",
}


def methods() -> str:
    """The methods that work without a study's settings, for the help."""
    lines = []
    for name, method in METHODS.items():
        if method.join or (method.unit and method.levels is None):
            continue
        shown = f"{name}_P" if method.published else name
        lines.append(f"  {shown:<18}  {method.about or method.label}")
    lines.append("  A_or_B, A_and_B     union and intersection (value_1_or_derivative_4.6)")
    return "\n".join(["methods:", *lines, ""])


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def parser() -> Parser:
    """The command line of all subcommands."""
    top = Parser(
        prog="mirimask",
        description="Source masks for one JWST MIRI image.",
        epilog=EXAMPLES[""],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"mirimask {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, summary: str) -> Parser:
        sub = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog=EXAMPLES[name] if name == "stats" else f"{methods()}\n{EXAMPLES[name]}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.add_argument(
            "image",
            metavar="IMAGE",
            help="FITS image with a celestial WCS: an i2d, or any with pixels in SCI or PRIMARY",
        )
        group = sub.add_argument_group("the image")
        group.add_argument(
            "--crop",
            type=crop_window,
            metavar="ROW0:ROW1,COL0:COL1",
            help="work on these pixels only, 0-based, ends not included (default: all)",
        )
        group.add_argument("--filter", default="", metavar="F770W", help="if the header has none")
        group.add_argument("--error", metavar="FILE", help="its error, where not in IMAGE as ERR")
        group.add_argument("--weight", metavar="FILE", help="its weight, where not in it as WHT")
        group.add_argument("--pixel-unit", default="", metavar="UNIT", help="if BUNIT is missing")
        sub.add_argument("--quiet", action="store_true", help="no progress, no warnings")
        return sub

    mask = command("mask", "make a mask, and files of it for other software")
    mask.add_argument("--method", default="recommended", help="default: recommended")
    add_mask_options(mask)
    group = mask.add_argument_group("what to write (at least one)")
    group.add_argument("-o", "--output", metavar="FITS", help="the mask, 0 and 1")
    group.add_argument("--labels", metavar="FITS", help="label image, as a level-3 _segm.fits")
    group.add_argument("--catalogue", metavar="ECSV", help="position, flux and shape of each label")
    group.add_argument("--regions", metavar="REG", help="DS9 regions of labels and sources")
    group.add_argument("--overwrite", action="store_true", help="replace files that are there")
    group = mask.add_argument_group("sources to match with the labels")
    group.add_argument(
        "--sources", metavar="CATALOGUE", help="ECSV, CSV, VOTable, FITS or text table"
    )
    add_catalogue_options(group)

    score = command("score", "judge masks by the sources of a catalogue")
    score.add_argument(
        "catalogue", metavar="CATALOGUE", help="ECSV, CSV, VOTable, FITS or text table"
    )
    score.add_argument(
        "--method", action="append", help="may be repeated (default: recommended, segmentation)"
    )
    add_mask_options(score)
    group = score.add_argument_group("the verdict")
    add_catalogue_options(group)
    group.add_argument(
        "--near",
        type=size,
        help="distance after the radius (default: 1.4 fwhm; 2.75 arcsec for unWISE)",
    )
    group.add_argument(
        "--snr", default=5.0, type=positive, help="of the reference peaks (default: 5)"
    )
    group = score.add_argument_group("what to write")
    group.add_argument("-o", "--output", metavar="CSV", help="a row for each source and method")
    group.add_argument("--overwrite", action="store_true", help="replace a file that is there")

    stats = command("stats", "identify and describe an image (Tables 1 and 2 of the paper)")
    stats.add_argument("--json", action="store_true", help="as JSON")
    stats.add_argument(
        "--count-empty",
        action="store_true",
        help="count empty pixels with the value that fills them, as the paper does",
    )
    add_new_study(commands)
    return top


def add_mask_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--segm", metavar="FITS", help="segmentation image of IMAGE")
    sub.add_argument(
        "--domain",
        choices=("crop", "published"),
        default="crop",
        help="pixels that the percentage of a slice is of: those of the crop that are not empty, "
        "or as the paper's script took it (default: crop)",
    )


def add_catalogue_options(group: Any) -> None:
    group.add_argument("--id", default="", metavar="COLUMN", help="its column of names")
    group.add_argument("--ra", default="", metavar="COLUMN", help="right ascension in degrees")
    group.add_argument("--dec", default="", metavar="COLUMN", help="declination in degrees")
    group.add_argument(
        "--radius",
        type=size,
        help="of the circle, in px, arcsec or fwhm (default: the PSF's FWHM, '1 fwhm'; "
        "1.98 arcsec for an unWISE table)",
    )


def crop_window(text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """'20:1000,430:1020' as ((20, 1000), (430, 1020))."""
    try:
        (y0, y1), (x0, x1) = (map(int, part.split(":")) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not ROW0:ROW1,COL0:COL1, such as 20:1000,430:1020"
        ) from None
    if not (0 <= y0 < y1 and 0 <= x0 < x1):
        raise argparse.ArgumentTypeError(f"'{text}' must begin at 0 or more and end after that")
    return (y0, y1), (x0, x1)


def size(text: str) -> str:
    """A size with its unit, checked; it becomes pixels once the image's scale is known."""
    number, _, unit = text.partition(" ")
    try:
        good = float(number) > 0 and unit in ("px", "arcsec", "fwhm")
    except ValueError:
        good = False
    if not good:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size; write '18 px' or '2 arcsec'")
    return text


def positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
    return value

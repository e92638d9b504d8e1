"""What can be typed: the options of `mirimask`, their help, and their values, checked."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from mirimask import __version__
from mirimask.command.new_study import add_new_study
from mirimask.command.outputs import BESIDE
from mirimask.errors import MaskError
from mirimask.masks.registry import DETECTORS, METHODS, missing, published_options
from mirimask.sizes import size_parts

__all__ = ["Parser", "parser"]

SPARE_BIT = 29  # of DQ: MSA_FAILED_OPEN, of the spectrograph's shutters

EXAMPLES = {
    "": """examples:
  mirimask stats  jw01386-o014_t004_miri_f770w_i2d.fits
  mirimask mask   jw01386-o014_t004_miri_f770w_i2d.fits -o mask.fits --regions --plot
  mirimask score  jw01386-o014_t004_miri_f770w_i2d.fits unwise.ecsv
  mirimask project mask.fits --onto *_cal.fits -o masks/
  mirimask new-study mine data/*_i2d.fits
  mirimask mask --help
""",
    "mask": """examples:
  the recommended mask, as 0 and 1 in the frame of the image:
    mirimask mask i2d.fits -o mask.fits
  everything of it, with the catalogue's sources matched and drawn:
    mirimask mask i2d.fits -o mask.fits --labels labels.fits --catalogue sources.ecsv \\
        --regions sources.reg --sources unwise.ecsv --plot mask.png
  many images: a mask and a picture of each in a folder, and a table of all
    mirimask mask *_i2d.fits -o masks --plot --cores 4
  the paper's crop and its slice of 4.6 % of the derivative:
    mirimask mask i2d.fits --method derivative_4.6 --crop 20:1000,430:1020 -o mask.fits
  an image of another origin, with nJy in its pixels and no FILTER in its header:
    mirimask mask mosaic.fits --filter F770W --pixel-unit nJy --weight wht.fits -o mask.fits
  of another camera than MIRI and NIRCam, by the width of its PSF; from an address:
    mirimask mask acs_f814w.fits --fwhm 0.1arcsec --pixel-unit nJy -o mask.fits
    mirimask mask mast:JWST/product/jw01386-o014_t004_miri_f770w_i2d.fits -o mask.fits

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
    "project": """\
Each image's own WCS places its pixels: that of the pipeline (GWCS) where the jwst package is
installed, else that of its header with SIP. Where the mask's image does not reach, nothing is
marked. A mask of a sharper image may be narrower than the sources in a broader one.

examples:
  onto another filter's image:
    mirimask project mask.fits --onto jw..._f1500w_i2d.fits -o mask_f1500w.fits
  onto each dithered exposure, as a mask, or as a bit of DQ in a copy of it:
    mirimask project mask.fits --onto *_cal.fits -o masks/
    mirimask project mask.fits --onto *_cal.fits -o flagged/ --dq
  and the sky matched without the sources that are marked so:
    strun skymatch flagged/asn.json --dqbits='~DO_NOT_USE+NON_SCIENCE+MSA_FAILED_OPEN'
""",
    "stats": """examples:
  mirimask stats i2d.fits
  mirimask stats i2d.fits --crop 20:1000,430:1020
  mirimask stats i2d.fits --json | jq .kurtosis
""",
}


def methods() -> str:
    """The methods in short, for the help."""
    lines = []
    for name, method in METHODS.items():
        if method.join or name in DETECTORS:
            continue
        shown = f"{name}_P" if method.published else name
        lines.append(f"  {shown:<18}  {method.about or method.label}")
    lines.append("  A_or_B, A_and_B     union and intersection (value_1_or_derivative_4.6)")
    lines.append("  mirimask mask --method   lists all others, and what they need")
    return "\n".join(["methods:", *lines, ""])


class ListMethods(argparse.Action):
    """`--method` without a name: what can run here, and how to get the rest.

    Where there is no default, names are gathered.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        if values is None or values == "list":
            print(method_list(), end="")
            parser.exit(0)
        if self.default is None:
            values = [*(getattr(namespace, self.dest) or []), values]
        setattr(namespace, self.dest, values)


def method_list() -> str:
    """Every method with its level here, and for one that cannot run what it needs."""
    options = published_options()
    here, absent = [], []
    for name, method in METHODS.items():
        if method.join:
            continue
        shown = f"{name}_P" if method.published else name
        level = options.get(name, {}).get("level", method.level)
        unit = {"%": " %", "sigma": " sigma"}.get(method.unit, "")
        at = "" if level is None or method.published else f" (at {level:g}{unit})"
        line = f"  {shown:<24}{method.about or method.label}{at}"
        lacks = missing(name, options)
        if lacks:
            absent.append(f"  {shown:<24}{method.label}: needs {lacks}: {method.get}")
        else:
            here.append(line)
    lines = ["can run here (NAME, or NAME_LEVEL as in sep_2.5; A_or_B, A_and_B join two):", *here]
    if absent:
        lines += ["cannot run here:", *absent]
    return "\n".join([*lines, ""])


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def parser() -> Parser:
    """The command line of all subcommands."""
    top = Parser(
        prog="mirimask",
        description="Source masks for JWST MIRI images.",
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
        what = (
            "FITS image with a celestial WCS: an i2d, or any with pixels in SCI or PRIMARY; a "
            "path, or an address (https://, s3://, mast:JWST/product/...)"
        )
        if name == "mask":
            sub.add_argument("images", metavar="IMAGE", nargs="+", help=what)
        else:
            sub.add_argument("image", metavar="IMAGE", help=what)
        group = sub.add_argument_group("the image")
        group.add_argument(
            "--crop",
            type=crop_window,
            metavar="ROW0:ROW1,COL0:COL1",
            help="work on these pixels only, 0-based, ends not included (default: all)",
        )
        group.add_argument(
            "--filter",
            default="",
            metavar="F770W",
            help="if the header has none; an image that has another is refused",
        )
        group.add_argument(
            "--fwhm",
            type=arcseconds,
            metavar="0.15arcsec",
            help="width of the PSF (default: that of the filter, known of MIRI and NIRCam)",
        )
        group.add_argument("--error", metavar="FILE", help="its error, where not in IMAGE as ERR")
        group.add_argument("--weight", metavar="FILE", help="its weight, where not in it as WHT")
        group.add_argument("--pixel-unit", default="", metavar="UNIT", help="if BUNIT is missing")
        group.add_argument(
            "--downloads",
            metavar="FOLDER",
            help="keep here what is fetched from an address (default: not kept)",
        )
        sub.add_argument("--quiet", action="store_true", help="no progress, no warnings")
        return sub

    mask = command("mask", "make a mask, and files of it for other software")
    mask.add_argument(
        "--method",
        nargs="?",
        action=ListMethods,
        default="recommended",
        metavar="NAME",
        help="default: recommended; without a NAME: lists all",
    )
    add_mask_options(mask)
    mask.add_argument(
        "--cores",
        type=whole_number,
        default=1,
        metavar="N",
        help="of many images, how many to work on at a time (default: 1); each takes its memory",
    )
    group = mask.add_argument_group(
        "what to write (at least one)",
        "With several images, or where it names a folder, each takes files named after the image; "
        "an option without a name writes beside the mask. - is standard output.",
    )
    group.add_argument("-o", "--output", metavar="FITS|FOLDER", help="the mask, 0 and 1")
    for option, metavar, what in (
        ("--labels", "FITS", "label image, as a level-3 _segm.fits"),
        ("--catalogue", "ECSV", "position, flux and shape of each label (or .csv, -)"),
        ("--regions", "REG", "DS9 regions of labels and sources (or -)"),
        ("--plot", "PNG", "quick-look: image, outline of the mask, numbers"),
    ):
        group.add_argument(option, nargs="?", const=BESIDE, metavar=metavar, help=what)
    group.add_argument("--json", action="store_true", help="the summary as JSON on standard output")
    group.add_argument("--overwrite", action="store_true", help="replace files that are there")
    group = mask.add_argument_group("sources to match (--catalogue) and to draw (--regions)")
    group.add_argument(
        "--sources", metavar="CATALOGUE", help="ECSV, CSV, VOTable, FITS or text table"
    )
    add_catalogue_options(group)

    score = command("score", "judge masks by the sources of a catalogue")
    score.add_argument(
        "catalogue", metavar="CATALOGUE", help="ECSV, CSV, VOTable, FITS or text table"
    )
    score.add_argument(
        "--method",
        nargs="?",
        action=ListMethods,
        metavar="NAME",
        help="may be repeated (default: recommended, segmentation); without a NAME: lists all",
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
    group.add_argument(
        "--smallest-spot",
        default=None,
        type=size_or_any,
        metavar="SIZE|any",
        help="diameter of the smallest spot that an eye sees on a figure, with one peak of it, as "
        "the paper's study counts ('0.495 arcsec'); default: any, every peak that the mask marks",
    )
    group = score.add_argument_group("what to write")
    group.add_argument(
        "-o", "--output", metavar="CSV", help="a row for each source and method (or -)"
    )
    group.add_argument(
        "--regions", metavar="REG", help="DS9 regions of the sources, by the first method (or -)"
    )
    group.add_argument("--json", action="store_true", help="verdicts as JSON on standard output")
    group.add_argument("--overwrite", action="store_true", help="replace a file that is there")

    stats = command("stats", "identify and describe an image (Tables 1 and 2 of the paper)")
    stats.add_argument("--json", action="store_true", help="as JSON on standard output")
    stats.add_argument(
        "--count-empty",
        action="store_true",
        help="count empty pixels with the value that fills them, as the paper does",
    )
    project = commands.add_parser(
        "project",
        help="put a mask onto other images: another filter's, or each exposure",
        description="Put a mask onto other images: another filter's, or each exposure.",
        epilog=EXAMPLES["project"],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    project.add_argument("mask", metavar="MASK", help="mask or label image, with its WCS")
    project.add_argument(
        "--onto",
        metavar="IMAGE",
        nargs="+",
        required=True,
        help="images with a celestial WCS (paths or addresses): i2d, _cal, _crf, ...",
    )
    project.add_argument(
        "-o",
        "--output",
        metavar="FITS|FOLDER",
        required=True,
        help="the mask on the image; a folder takes a file of each",
    )
    project.add_argument(
        "--cover",
        type=share,
        default=0.5,
        metavar="SHARE",
        help="mark a pixel of which at least this share lies in the mask (default: 0.5; 0: any "
        "of 16 points in it), or 'nearest': of which the middle does",
    )
    project.add_argument(
        "--dq",
        nargs="?",
        type=bit,
        const=SPARE_BIT,
        metavar="BIT",
        help="write a copy of the image with this bit (0 to 31) set in its DQ (default: "
        f"{SPARE_BIT}, MSA_FAILED_OPEN, which images have no use for)",
    )
    project.add_argument(
        "--json", action="store_true", help="the summary as JSON on standard output"
    )
    project.add_argument("--overwrite", action="store_true", help="replace files that are there")
    project.add_argument(
        "--downloads", metavar="FOLDER", help="keep here what is fetched (default: not kept)"
    )
    project.add_argument("--quiet", action="store_true", help="no progress, no warnings")
    add_new_study(commands)
    return top


def add_mask_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--segm",
        metavar="FITS",
        help="segmentation image of IMAGE, for the method segmentation (default: it is made)",
    )
    sub.add_argument(
        "--domain",
        choices=("crop", "published"),
        default="crop",
        help="pixels that the percentage of a slice is of: those of the crop that are not empty, "
        "or as the paper's script took it (default: crop)",
    )


def add_catalogue_options(group: Any) -> None:
    group.add_argument("--id", default="", metavar="COLUMN", help="its column of names")
    group.add_argument(
        "--ra", default="", metavar="COLUMN", help="right ascension; degrees, if it has no unit"
    )
    group.add_argument(
        "--dec", default="", metavar="COLUMN", help="declination; degrees, if it has no unit"
    )
    group.add_argument(
        "--radius",
        type=size,
        help="of the circle, in px, arcsec or fwhm (default: the PSF's FWHM, '1 fwhm'; "
        "1.98 arcsec for a table of unWISE, with its FW1)",
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


def share(text: str) -> float | str:
    """'0.5' as 0.5; 'nearest' as it is."""
    if text == "nearest":
        return text
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a share from 0 to 1, nor 'nearest'")
    return value


def bit(text: str) -> int:
    """The number of a bit of DQ."""
    if not (text.isdecimal() and int(text) < 32):
        raise argparse.ArgumentTypeError(f"'{text}' is not the number of a bit, 0 to 31")
    return int(text)


def arcseconds(text: str) -> float:
    """'0.15arcsec' as 0.15."""
    try:
        number, unit = size_parts(text.strip().replace('"', "arcsec"))
    except MaskError:
        number, unit = "0", ""
    value = float(number)
    if not (unit == "arcsec" and value < 60):
        raise argparse.ArgumentTypeError(f"'{text}' is not a width; write 0.15arcsec")
    return value


def size_or_any(text: str) -> str | None:
    """A size, or None for 'any'."""
    return None if text == "any" else size(text)


def size(text: str) -> str:
    """A size with its unit, checked; it becomes pixels once the image's scale is known."""
    try:
        size_parts(text)
    except MaskError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None
    return text


def whole_number(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return int(text)


def positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
    return value

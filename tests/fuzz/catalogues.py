"""Catalogues of every format, damaged or unusual: the right sources, or one line that says why not.

    python tests/fuzz/catalogues.py --count 300 --seed 1

A catalogue of the eight stars of the good image is written in another way and given to
`mirimask score`; every star has to come out with its name, at its pixel, as a success.
"""

import csv
import gzip
import io
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import astropy.units as u
import field as good
import harness
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits, votable
from astropy.table import MaskedColumn, QTable, Table
from harness import Case, demand, mirimask, quiet, said

RA, DEC = good.sky()
NEVER = ("near", "failure")


@dataclass
class Right:
    """What is right for a catalogue.

    `ids`: of the sources on the image, in order; None: any. `stars`: which of the good image's
    they are. `refused`, `works` and `warning` as for images. `lost`: so many rows may be lost or
    wrong, those that were damaged.
    """

    ids: list[str] | None = None
    stars: list[int] | None = None
    refused: bool = False
    works: bool = False
    warning: str = ""
    lost: int = 0
    options: tuple[str, ...] = ()
    file: str = ""


def _judged(make: Callable[[], tuple[str, Right]]) -> tuple[str, str]:
    """Write a catalogue, score it, and judge what was said."""
    Path("image.fits").write_bytes(good.as_bytes(good.image()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is bad on purpose
        file, right = make()
    answer = mirimask(
        *("score", "image.fits", file, "--method", "recommended", "-o", "v.csv"), *right.options
    )
    if answer.status:
        said(answer, file, Path(file).name)
        demand(not right.works, f"refused what is good: {answer.errors[0][:150]}")
        demand(not Path("v.csv").exists(), "refused, but v.csv written")
        return "said", ""
    demand(not right.refused, "accepted what cannot be right")
    with open("v.csv", newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    if not rows:
        told = "has no row" in answer.err or "no catalogue source" in answer.err
        demand(told, "no source, and no warning of it")
    stars = right.stars if right.stars is not None else list(range(len(good.IDS)))
    ids = list(right.ids or (good.IDS[star] for star in stars))
    if right.lost:
        _some(rows, right)
    else:
        demand(len(rows) == len(stars), f"{len(rows)} sources instead of {len(stars)}")
        before = Counter[str]()
        for at, name in enumerate(ids):  # the second of a name is the second
            before[name] += 1
            if before[name] > 1:
                ids[at] = f"{name} ({before[name]})"
        found = [row["id"] for row in rows]
        demand(found == ids, f"other ids: {found[:4]} for {ids[:4]}")
        for row, star in zip(rows, stars, strict=True):
            _same_star(row, star)
    if right.warning:
        demand(right.warning in answer.err, f"no warning of {right.warning!r}")
    quiet(answer)
    return "ok", ""


def _same_star(row: dict[str, str], star: int) -> None:
    away = np.hypot(float(row["x"]) - good.X[star], float(row["y"]) - good.Y[star])
    demand(away < 0.05, "a source at another pixel")
    demand(row["verdict"] == "success", "a star is no success")


def _some(rows: list[dict[str, str]], right: Right) -> None:
    """All but the damaged rows came through."""
    whole = 0
    for row in rows:
        if row["id"] in good.IDS:
            star = good.IDS.index(row["id"])
            away = np.hypot(float(row["x"]) - good.X[star], float(row["y"]) - good.Y[star])
            whole += away < 0.05 and row["verdict"] == "success"
    wanted = len(good.IDS) - right.lost
    demand(whole >= wanted, f"more rows lost without a word than damaged ({right.lost})")


### the good catalogue #############################################################################


def table(ids=None, ra=RA, dec=DEC, *, names=("id", "ra", "dec"), kind=Table) -> Table:
    made = kind([list(ids or good.IDS), np.array(ra), np.array(dec)], names=names)
    made["mag"] = np.linspace(15, 18, len(made))
    return made


def lines(ids=None, ra=RA, dec=DEC, *, names="id,ra,dec", by=",") -> str:
    rows = zip(ids or good.IDS, ra, dec, strict=True)
    made = [by.join([i, f"{a:.9f}", f"{d:.9f}"]) for i, a, d in rows]
    return "\n".join([names.replace(",", by), *made]) + "\n"


def _text(name: str, text: str | bytes, **right) -> tuple[str, Right]:
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return name, Right(**right)


def _table(name: str, made: Table | None = None, *, format_: str, **right) -> tuple[str, Right]:
    options = right.pop("writing", {})
    (made if made is not None else table()).write(name, format=format_, **options)
    return name, Right(**right)


def _gzipped(inner: Callable[[], tuple[str, Right]]) -> tuple[str, Right]:
    name, right = inner()
    Path(name + ".gz").write_bytes(gzip.compress(Path(name).read_bytes()))
    return name + ".gz", right


VOT = partial(_table, "c.vot", format_="votable")
BASIC = {
    "csv": partial(_table, "c.csv", format_="ascii.csv", works=True),
    "ecsv": partial(_table, "c.ecsv", format_="ascii.ecsv", works=True),
    "ecsv by commas": partial(
        _table, "c.ecsv", format_="ascii.ecsv", works=True, writing={"delimiter": ","}
    ),
    "tsv": partial(_table, "c.tsv", format_="ascii.tab", works=True),
    "vot": partial(VOT, works=True),
    "vot, binary": partial(VOT, works=True, writing={"tabledata_format": "binary"}),
    "vot, binary2": partial(VOT, works=True, writing={"tabledata_format": "binary2"}),
    "xml": partial(_table, "c.xml", format_="votable", works=True),
    "fits": partial(_table, "c.fits", format_="fits", works=True),
    "fit": partial(_table, "c.fit", format_="fits", works=True),
    "txt, # names": partial(_table, "c.txt", format_="ascii.commented_header", works=True),
    "txt, names": partial(_table, "c.txt", format_="ascii.basic", works=True),
    "dat": partial(_table, "c.dat", format_="ascii.basic", works=True),
    "cat": partial(_table, "c.cat", format_="ascii.commented_header", works=True),
    "no suffix": partial(_table, "catalogue", format_="ascii.csv", works=True),
    "fixed width": partial(_table, "c.txt", format_="ascii.fixed_width"),
    "ipac": partial(_table, "c.tbl", format_="ascii.ipac"),
    "mrt": partial(_table, "c.mrt", format_="ascii.mrt"),
    "latex": partial(_table, "c.tex", format_="ascii.latex"),
    "html": partial(_table, "c.html", format_="ascii.html"),
    "rst": partial(_table, "c.rst", format_="ascii.rst"),
    "CSV of suffix .CSV": partial(_table, "C.CSV", format_="ascii.csv", works=True),
    "FITS of suffix .FITS": partial(_table, "C.FITS", format_="fits", works=True),
}
PACKED = {
    f"{name}.gz": partial(_gzipped, BASIC[name])
    for name in ("csv", "ecsv", "tsv", "vot", "xml", "fits", "txt, # names")
}

### names, units, numbers ##########################################################################


def _named(id_: str, ra: str, dec: str, suffix="csv", **right) -> tuple[str, Right]:
    return _table(
        f"c.{suffix}",
        table(names=(id_, ra, dec)),
        format_={"csv": "ascii.csv", "fits": "fits", "vot": "votable"}[suffix],
        **right,
    )


NAMES = {
    **{
        f"{' '.join(names)}": partial(_named, *names, works=True)
        for names in (
            *(("objID", "RAJ2000", "DEJ2000"), ("ID", "RA", "DEC"), ("source_id", "ra", "dec")),
            *(("NAME", "RA", "Dec"), ("label", "RA_ICRS", "DE_ICRS"), ("name", "ra", "dec")),
            *(("id", "ALPHA_J2000", "DELTA_J2000"), ("id", "raj2000", "dej2000")),
        )
    },
    **{
        f"{' '.join(names)}": partial(_named, *names)
        for names in (
            *(("id", "Ra", "Dec"), ("id", "ra_deg", "dec_deg"), ("id", "x", "y")),
            *(("id", "lon", "lat"), ("id", "RA", "dec"), ("id", "right_ascension", "declination")),
        )
    },
    "columns by options": partial(
        *(_named, "who", "alpha", "delta"),
        works=True,
        options=("--id", "who", "--ra", "alpha", "--dec", "delta"),
    ),
    "a column of options that is not there": partial(
        _named, "id", "ra", "dec", refused=True, options=("--ra", "alpha")
    ),
    "ra and dec the same column": partial(
        _named, "id", "ra", "dec", options=("--ra", "ra", "--dec", "ra"), stars=[]
    ),
    "no id": lambda: _text(
        "c.csv",
        "\n".join(line.partition(",")[2] for line in lines().splitlines()) + "\n",
        ids=[str(n) for n in range(1, 9)],
        works=True,
        warning="id",
    ),
    "GLON, GLAT alone": partial(_named, "id", "GLON", "GLAT", refused=True),
    "X_IMAGE, Y_IMAGE alone": partial(_named, "id", "X_IMAGE", "Y_IMAGE", refused=True),
}

PER_DEGREE = {
    "deg": 1,
    "rad": np.pi / 180,
    "arcmin": 60,
    "arcsec": 3600,
    "mas": 3.6e6,
    "uas": 3.6e9,
    "hourangle": 1 / 15,
}
OTHER_NAMES = {
    "degree": 1,
    "degrees": 1,
    "DEG": 1,
    "Deg": 1,
    "DEGREES": 1,
    "deg.": 1,
    "°": 1,
    "radian": np.pi / 180,
    "radians": np.pi / 180,
    "h": 1 / 15,
    "hour": 1 / 15,
    "hr": 1 / 15,
}


def _unit(text: str, per_degree: float, suffix: str, **right) -> tuple[str, Right]:
    """Both coordinates in a unit; the name as it stands in the file, whatever astropy thinks."""
    made = table(ra=RA * per_degree, dec=DEC * per_degree)
    if suffix == "fits":
        columns = [
            fits.Column("id", "8A", array=np.array(good.IDS)),
            *(fits.Column(n, "D", unit="@@", array=np.array(made[n])) for n in ("ra", "dec")),
        ]
        hdus = fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)])
        data = good.as_bytes(hdus)
        shown = text.encode("latin-1")
        data = data.replace(b"'@@      '", b"'" + shown.ljust(8) + b"'")
        return _text("c.fits", data, **right)
    for name in ("ra", "dec"):
        made[name].unit = "deg"
    format_ = {"ecsv": "ascii.ecsv", "vot": "votable"}[suffix]
    made.write(f"c.{suffix}", format=format_)
    whole = Path(f"c.{suffix}").read_text()
    whole = whole.replace("unit: deg", f"unit: {text}").replace('unit="deg"', f'unit="{text}"')
    return _text(f"c.{suffix}", whole, **right)


UNITS = {
    **{
        f"unit {text} ({suffix})": partial(
            _unit, text, factor, suffix, works=text in ("deg", "degree", "degrees", "DEG", "rad")
        )
        for text, factor in (PER_DEGREE | OTHER_NAMES).items()
        for suffix in ("fits", "ecsv", "vot")
        if not (text == "°" and suffix != "vot")
    },
    **{
        f"unit {text} ({suffix})": partial(_unit, text, 1, suffix, refused=True)
        for text in ("m", "mag", "Jy", "mag(AB)", "h:m:s", "deg2", "s", "foo", "dex(deg)", "-1 deg")
        for suffix in ("fits", "ecsv")
    },
}


def _coordinates(suffix="csv", **right) -> tuple[str, Right]:
    """Stars at other numbers of the same place, or rows that are nowhere."""
    change = right.pop("change")
    ra, dec = RA.copy(), DEC.copy()
    change(ra, dec)
    return _table(
        f"c.{suffix}",
        table(ra=ra, dec=dec),
        format_={"csv": "ascii.csv", "fits": "fits", "vot": "votable", "ecsv": "ascii.ecsv"}[
            suffix
        ],
        **right,
    )


def _put(array: int, row: int, value: float) -> Callable[[np.ndarray, np.ndarray], None]:
    def change(ra, dec):
        (ra, dec)[array][row] = value

    return change


def _turned(by: float) -> Callable[[np.ndarray, np.ndarray], None]:
    def change(ra, dec):
        ra += by

    return change


def _reflected(ra, dec):
    dec[:] = -180 - dec  # the same numbers "over the pole", which are no declinations


def _sexagesimal(ra_text: str, by: str, suffix: str, **right) -> tuple[str, Right]:
    sky = SkyCoord(RA, DEC, unit="deg")
    made = Table({"id": good.IDS})
    made["ra"] = sky.ra.to_string(u.hour if ra_text == "h" else u.deg, sep=by, precision=6)
    made["dec"] = sky.dec.to_string(u.deg, sep=by, precision=6, alwayssign=True)
    format_ = {"csv": "ascii.csv", "vot": "votable", "fits": "fits"}[suffix]
    return _table(f"c.{suffix}", made, format_=format_, **right)


def _masked(which: str, suffix: str) -> tuple[str, Right]:
    made = table()
    for name in ("id", "ra", "dec") if which == "a whole row" else (which,):
        made[name] = MaskedColumn(made[name], mask=np.arange(8) == 3)
    format_ = {"csv": "ascii.csv", "vot": "votable", "fits": "fits", "ecsv": "ascii.ecsv"}[suffix]
    made.write(f"c.{suffix}", format=format_)
    if which == "id":  # what a name that is missing is called is free, but the star is there
        return f"c.{suffix}", Right(lost=1)
    stars = [0, 1, 2, 4, 5, 6, 7]
    return f"c.{suffix}", Right(stars=stars, warning="1 row", works=True)


def _shaped(suffix: str, how: str) -> tuple[str, Right]:
    made = table()
    if how == "two numbers a cell":
        made["ra"] = np.column_stack([RA, RA])
    elif how == "whole numbers":
        made["ra"] = RA.astype(int)
    elif how == "texts":
        made["ra"] = [f"{value:.9f}" for value in RA]
    elif how == "complex":
        made["ra"] = RA.astype(complex)
    elif how == "truth values":
        made["ra"] = RA > 0
    elif how == "float32":
        made["ra"], made["dec"] = RA.astype("f4"), DEC.astype("f4")
    elif how == "a column of vectors beside":
        made["more"] = np.ones((8, 3))
    made.write(
        f"c.{suffix}", format={"fits": "fits", "vot": "votable", "ecsv": "ascii.ecsv"}[suffix]
    )
    if how in ("two numbers a cell", "complex", "truth values"):
        return f"c.{suffix}", Right(refused=True)
    if how in ("whole numbers", "float32"):  # 0.1 px off, or more: the numbers are what they are
        return f"c.{suffix}", Right(lost=8)
    return f"c.{suffix}", Right(works="beside" in how)


def _mixin(how: str) -> tuple[str, Right]:
    made = QTable({"id": good.IDS})
    if how == "sky_centroid":
        made["sky_centroid"] = SkyCoord(RA, DEC, unit="deg")
    elif how == "sky_centroid, Galactic":
        made["sky_centroid"] = SkyCoord(RA, DEC, unit="deg").galactic
    else:
        made["ra"], made["dec"] = (RA * u.deg).to(u.rad), (DEC * u.deg).to(u.arcmin)
    made.write("c.ecsv", format="ascii.ecsv")
    return "c.ecsv", Right(works=True)


NUMBERS = {
    "RA - 360": partial(_coordinates, change=_turned(-360), works=True),
    "RA + 360": partial(_coordinates, change=_turned(360)),
    "Dec beyond the pole": partial(_coordinates, change=_reflected, stars=[]),
    **{
        f"a {('RA', 'Dec')[array]} {value:g} ({suffix})": partial(
            _coordinates,
            suffix,
            change=_put(array, 3, value),
            stars=[0, 1, 2, 4, 5, 6, 7],
            warning="" if np.isfinite(value) else "1 row",
        )
        for array, value in (
            *((0, np.nan), (1, np.nan), (0, np.inf), (1, -np.inf), (0, 1e300), (1, 1e300)),
            *((1, 95.0), (1, -110.9), (1, 1e9), (0, -1e9), (0, 12345.0)),
        )
        for suffix in ("csv", "fits")
    },
    **{
        f"sexagesimal {a} by {by!r} ({suffix})": partial(_sexagesimal, a, by, suffix)
        for a in ("h", "d")
        for by in (":", " ", "hms" if a == "h" else "dms")
        for suffix in ("csv", "vot", "fits")
    },
    **{
        f"{which} masked ({suffix})": partial(_masked, which, suffix)
        for which in ("id", "ra", "dec", "a whole row")
        for suffix in ("csv", "ecsv", "vot", "fits")
    },
    **{
        f"{how} ({suffix})": partial(_shaped, suffix, how)
        for how in (
            *("two numbers a cell", "whole numbers", "texts", "truth values", "float32"),
            "a column of vectors beside",
        )
        for suffix in ("fits", "vot", "ecsv")
    },
    "complex (fits)": partial(_shaped, "fits", "complex"),
    **{how: partial(_mixin, how) for how in ("sky_centroid", "sky_centroid, Galactic", "units")},
}

### ids and number of rows #########################################################################

IDS = {
    "numbers with zeros": [f"{n:03d}" for n in range(1, 9)],
    "powers": ["1e5", "2E10", "1E-5", "3e0", "4e40", "1.5e3", "7E7", "8e8"],
    "other powers": ["1e5", "2E10", "1E-5", "3e0", "4e400", "1d5", "0x10", "1_000"],
    "missing among numbers": ["1", "NA", "3", "nan", "5", "6", "7", "8"],
    "missing": ["NA", "nan", "None", "NULL", "N/A", "-", "null", "NaN"],
    "some numbers": ["1", "2", "3", "x", "5", "6", "7", "8"],
    "with points": ["1.0", "2.50", "3.", "4", "5.00", "6", "7.7", "8"],
    "truth": ["True", "False", "T", "F", "yes", "no", "0", "1"],
    "formulas": ["=1+1", "+2", "-3", "@x", "=cmd|' /C calc'!A0", "5", "6", "7"],
    "long numbers": [str(4655349652394811137 + n) for n in range(8)],
    "longer numbers": [str(10**25 + n) for n in range(8)],
    "spaces": ["a b", "c  d", "e", "f g h", "i", "j k", "l", "m n"],
    "commas": ["a,b", "c,d", "e", "f,g", "h", "i", "j", "k"],
    "quotes": ['a"b', "c'd", "e", '"f"', "g", "h", "i", "j"],
    "accents": ["café", "ñ", "αβ", "星", "e", "f", "g", "h"],
    "signs of comment": ["#1", "a#b", "c", "d", "e", "f", "g", "h#"],
    "times": ["12:30", "2022-09-08", "10:00:00", "1/2", "d", "e", "f", "g"],
    "the same": ["x"] * 8,
    "long": ["n" * 500 + str(n) for n in range(8)],
    "markup": ["<b>x</b>", "&amp;", "a&b", "</table>", "c", "d", "e", "f"],
    "JWST": [f"J052641.{n}-690600.{n}" for n in range(8)],
}


def _ids(which: str, suffix: str) -> tuple[str, Right]:
    ids = IDS[which]
    if suffix == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["id", "ra", "dec"])
        writer.writerows([i, f"{a:.9f}", f"{d:.9f}"] for i, a, d in zip(ids, RA, DEC, strict=True))
        return _text("c.csv", text.getvalue(), ids=list(ids), works=True)
    format_ = {"vot": "votable", "fits": "fits", "ecsv": "ascii.ecsv", "tsv": "ascii.tab"}[suffix]
    if suffix == "ecsv":  # in which a line that begins so is a comment
        ids = [i.replace("#1", "1#") for i in ids]
    made = table(ids)
    if suffix == "fits":  # which has no other letters
        ids = [i if i.isascii() else f"s{n}" for n, i in enumerate(ids)]
        made = table(ids)
    made.write(f"c.{suffix}", format=format_)
    return f"c.{suffix}", Right(ids=list(ids), works=True)


def _whole_number_ids(suffix: str) -> tuple[str, Right]:
    ids = 4655349652394811137 + np.arange(8)
    made = table()
    made["id"] = MaskedColumn(ids, mask=np.zeros(8, bool))
    made.write(
        f"c.{suffix}", format={"vot": "votable", "fits": "fits", "ecsv": "ascii.ecsv"}[suffix]
    )
    return f"c.{suffix}", Right(ids=[str(i) for i in ids], works=True)


def _repeated() -> tuple[str, Right]:
    return _text("c.csv", lines() + lines().partition("\n")[2], stars=[*range(8)] * 2, works=True)


def _many(rows: int, suffix: str) -> tuple[str, Right]:
    """The stars among so many rows, which lie all around the image."""
    random = np.random.default_rng(rows)
    ra, dec = RA[0] + random.uniform(0.2, 3, rows), DEC[0] + random.uniform(0.2, 3, rows)
    ids = [f"other{n}" for n in range(rows)]
    made = table(good.IDS + ids, [*RA, *ra], [*DEC, *dec])
    made.write(f"c.{suffix}", format={"csv": "ascii.csv", "fits": "fits", "vot": "votable"}[suffix])
    return f"c.{suffix}", Right(works=True)


def _no_rows(suffix: str) -> tuple[str, Right]:
    made = table()[:0]
    format_ = {"csv": "ascii.csv", "vot": "votable", "fits": "fits", "ecsv": "ascii.ecsv"}
    made.write(f"c.{suffix}", format=(format_ | {"tsv": "ascii.tab", "txt": "ascii.basic"})[suffix])
    return f"c.{suffix}", Right(stars=[], works=True)


ROWS = {
    **{
        f"ids: {which} ({suffix})": partial(_ids, which, suffix)
        for which in IDS
        for suffix in ("csv", "ecsv", "vot", "fits")
    },
    **{f"ids of 19 digits ({s})": partial(_whole_number_ids, s) for s in ("vot", "fits", "ecsv")},
    "every row twice": _repeated,
    **{f"100000 rows ({s})": partial(_many, 100_000, s) for s in ("csv", "fits")},
    "20000 rows (vot)": partial(_many, 20_000, "vot"),
    **{
        f"no rows ({s})": partial(_no_rows, s) for s in ("csv", "ecsv", "vot", "fits", "tsv", "txt")
    },
    "one row": partial(
        _text, "c.csv", "\n".join(lines().splitlines()[:2]) + "\n", stars=[0], works=True
    ),
}

### text: delimiters, encodings, headers ###########################################################

GOOD = lines()
BOM = b"\xef\xbb\xbf"
TEXTS = {
    "BOM (csv)": ("c.csv", BOM + GOOD.encode(), {"works": True}),
    "BOM (txt)": ("c.txt", BOM + lines(by=" ").encode(), {}),
    "BOM (tsv)": ("c.tsv", BOM + lines(by="\t").encode(), {"works": True}),
    "BOM (ecsv)": ("c.ecsv", None, {}),
    "utf-16": ("c.csv", GOOD.encode("utf-16"), {}),
    "utf-16 without BOM": ("c.csv", GOOD.encode("utf-16-le"), {}),
    "utf-32": ("c.csv", GOOD.encode("utf-32"), {}),
    "latin-1": (
        "c.csv",
        lines(["é", *good.IDS[1:]]).encode("latin-1"),
        {"lost": 1},
    ),
    "CR LF": ("c.csv", GOOD.replace("\n", "\r\n"), {"works": True}),
    "CR": ("c.csv", GOOD.replace("\n", "\r"), {}),
    "no end of line": ("c.csv", GOOD.rstrip("\n"), {"works": True}),
    "blank lines at the end": ("c.csv", GOOD + "\n\n\n", {"works": True}),
    "blank lines between": ("c.csv", GOOD.replace("\n", "\n\n"), {"works": True}),
    "blank line first": ("c.csv", "\n" + GOOD, {"works": True}),
    "comment first": ("c.csv", "# a catalogue\n" + GOOD, {}),
    "comment first (txt)": ("c.txt", "# a catalogue\n" + lines(by=" "), {}),
    "comments, then names (txt)": ("c.txt", "# made 2022\n# id ra dec\n" + lines(by=" ")[10:], {}),
    "semicolons (csv)": ("c.csv", lines(by=";"), {}),
    "tabs (csv)": ("c.csv", lines(by="\t"), {}),
    "spaces (csv)": ("c.csv", lines(by=" "), {}),
    "bars (txt)": ("c.txt", lines(by="|"), {}),
    "commas (txt)": ("c.txt", GOOD, {"works": True}),
    "semicolons (txt)": ("c.txt", lines(by=";"), {}),
    "commas (tsv)": ("c.tsv", GOOD, {}),
    "spaces around": ("c.csv", lines(by=" , "), {"works": True}),
    "decimal commas": ("c.csv", lines(by=";").replace(".", ","), {}),
    "quoted": (
        "c.csv",
        "\n".join(",".join(f'"{c}"' for c in r.split(",")) for r in GOOD.splitlines()) + "\n",
        {"works": True},
    ),
    "comma at the end of rows": ("c.csv", GOOD.replace("\n", ",\n"), {}),
    "comma at the end of names": ("c.csv", GOOD.replace("dec\n", "dec,\n"), {}),
    "no names": ("c.csv", GOOD.partition("\n")[2], {"refused": True}),
    "no names (txt)": ("c.txt", lines(by=" ").partition("\n")[2], {"refused": True}),
    "names alone": ("c.csv", "id,ra,dec\n", {"stars": [], "works": True}),
    "empty": ("c.csv", "", {"refused": True}),
    "empty (txt)": ("c.txt", "", {"refused": True}),
    "empty (vot)": ("c.vot", "", {"refused": True}),
    "empty (fits)": ("c.fits", b"", {"refused": True}),
    "blanks alone": ("c.csv", "  \n \n", {"refused": True}),
    "names twice": ("c.csv", GOOD.replace("id,ra,dec", "ra,ra,dec"), {}),
    "ragged": ("c.csv", GOOD.replace("s3,", "s3,9,"), {"lost": 1}),
    "a short row": ("c.csv", GOOD.replace(f",{DEC[3]:.9f}", ""), {"lost": 1}),
    "a word for a number": ("c.csv", GOOD.replace(f"{RA[3]:.9f}", "unknown"), {"lost": 1}),
    "units below the names": ("c.csv", GOOD.replace("dec\n", "dec\n,deg,deg\n"), {}),
    "dashes below the names": ("c.tsv", lines(by="\t").replace("dec\n", "dec\n--\t--\t--\n"), {}),
    "NUL": ("c.csv", GOOD.replace("s3", "s\x003"), {"lost": 1}),
    "NULs": ("c.csv", b"\0" * 5000, {"refused": True}),
    "random": ("c.csv", np.random.default_rng(1).bytes(5000), {"refused": True}),
    "random (txt)": ("c.txt", np.random.default_rng(2).bytes(5000), {"refused": True}),
    "random (vot)": ("c.vot", np.random.default_rng(3).bytes(5000), {"refused": True}),
    "random (fits)": ("c.fits", np.random.default_rng(4).bytes(5000), {"refused": True}),
    "a line of a million letters": ("c.csv", GOOD + "x" * 1_000_000 + ",1,2\n", {}),
    "an open quote": ("c.csv", GOOD.replace("s3,", '"s3,'), {"lost": 5}),
    "a page of a server": (
        "c.csv",
        "<html><body>502 Bad Gateway</body></html>\n",
        {"refused": True},
    ),
    "a page named .vot": ("c.vot", "<html><body>502 Bad</body></html>\n", {"refused": True}),
    "a page named .fits": ("c.fits", "<html><body>502 Bad</body></html>\n", {"refused": True}),
    "JSON": ("c.json", '[{"id": "s0", "ra": 84.6, "dec": -69.1}]\n', {"refused": True}),
    "DS9 regions": ("c.reg", f'icrs\ncircle({RA[0]},{DEC[0]},2")\n', {"refused": True}),
    "SExtractor": ("c.cat", None, {"works": True}),
    "SExtractor named .txt": ("c.txt", None, {"works": True}),
}


def _plain(name: str) -> tuple[str, Right]:
    file, content, right = TEXTS[name]
    if name.startswith("SExtractor"):
        head = (
            "#   1 NUMBER        Running object number\n"
            "#   2 ALPHA_J2000   Right ascension of barycenter (J2000)   [deg]\n"
            "#   3 DELTA_J2000   Declination of barycenter (J2000)       [deg]\n"
            "#   4 MAG_AUTO      Kron-like elliptical aperture magnitude [mag]\n"
        )
        rows = [
            f"{n:10d} {a:.9f} {d:+.9f} 15.5"
            for n, (a, d) in enumerate(zip(RA, DEC, strict=True), 1)
        ]
        content = head + "\n".join(rows) + "\n"
        return _text(file, content, ids=[str(n) for n in range(1, 9)], **right)
    if name == "BOM (ecsv)":
        table().write("made.ecsv", format="ascii.ecsv")
        content = BOM + Path("made.ecsv").read_bytes()
    return _text(file, content, **right)


### VOTables and FITS files of other shapes ########################################################


def _votable_text() -> str:
    table().write("made.vot", format="votable")
    return Path("made.vot").read_text()


def _vot(change: Callable[[str], str], **right) -> tuple[str, Right]:
    return _text("c.vot", change(_votable_text()), **right)


def _vot_tables(first: bool) -> tuple[str, Right]:
    """Two tables; the sources are in the first, or in the one after another."""
    tables = [table(), Table({"note": ["x"], "value": [1]})]
    document = votable.tree.VOTableFile()
    resource = votable.tree.Resource()
    document.resources.append(resource)
    for made in tables if first else tables[::-1]:
        resource.tables.append(votable.from_table(made).get_first_table())
    document.to_xml("c.vot")
    return "c.vot", Right(works=first)


_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE v [<!ENTITY a "'
    + "x" * 100
    + '">'
    + "".join(
        f'<!ENTITY {b} "{("&" + a + ";") * 10}">'
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]><VOTABLE><DESCRIPTION>&i;</DESCRIPTION></VOTABLE>"
)
_INFO = '<INFO name="QUERY_STATUS" value="{}">{}</INFO>'
VOTABLES = {
    "vot, two tables": partial(_vot_tables, True),
    "vot, the second table": partial(_vot_tables, False),
    "vot, OVERFLOW": partial(
        _vot,
        lambda t: t.replace("</RESOURCE>", _INFO.format("OVERFLOW", "") + "</RESOURCE>"),
        warning="OVERFLOW",
    ),
    "vot, ERROR": partial(
        *(
            _vot,
            lambda t: t.replace("<TABLE", _INFO.format("ERROR", "no such table") + "<TABLE", 1),
        ),
        warning="no such table",
    ),
    "vot, no table": partial(
        _text, "c.vot", '<VOTABLE version="1.4"><RESOURCE/></VOTABLE>', refused=True
    ),
    "vot, cut": partial(_vot, lambda t: t[: 2 * len(t) // 3], refused=True),
    "vot, cut in the head": partial(_vot, lambda t: t[:300], refused=True),
    "vot of another name": lambda: _text("c.csv", _votable_text()),
    "vot, no version": partial(_vot, lambda t: t.replace('version="1.4"', "")),
    "vot, version 9": partial(_vot, lambda t: t.replace('version="1.4"', 'version="9.9"')),
    "vot, no namespace": partial(
        _vot, lambda t: t.replace('xmlns="http://www.ivoa.net/xml/VOTable/v1.3"', "")
    ),
    "vot, nested": partial(
        *(_vot, lambda t: t.replace("<RESOURCE", "<RESOURCE><RESOURCE", 1)),
    ),
    "vot, entities without end": partial(_text, "c.vot", _BOMB, refused=True),
    "vot, an outer file": partial(
        _vot,
        lambda t: t.replace(
            "<VOTABLE",
            '<!DOCTYPE v [<!ENTITY e SYSTEM "file:///etc/passwd">]><VOTABLE',
            1,
        ),
    ),
    "vot, encoding latin-1": partial(_vot, lambda t: t.replace("utf-8", "latin-1")),
    "vot, an unknown datatype": partial(
        _vot, lambda t: t.replace('datatype="double"', 'datatype="number"', 1)
    ),
    "vot, float": partial(
        _vot, lambda t: t.replace('datatype="double"', 'datatype="float"'), lost=8
    ),
    "vot, a cell of text": partial(_vot, lambda t: t.replace(f"<TD>{RA[3]}", "<TD>here"), lost=1),
}


def _fits(change: Callable[[fits.HDUList], None], name="c.fits", **right) -> tuple[str, Right]:
    made = table()
    hdus = fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(made, name="SOURCES")])
    change(hdus)
    return _text(name, good.as_bytes(hdus), **right)


def _other_table_first(hdus):
    other = fits.BinTableHDU(Table({"note": ["x"], "value": [1]}), name="NOTES")
    hdus.insert(1, other)


def _image_first(hdus):
    hdus.insert(1, fits.ImageHDU(np.zeros((5, 5), np.float32), name="SCI"))


def _ldac(hdus):
    head = np.array(["SIMPLE  = T"])
    made = table(names=("NUMBER", "ALPHA_J2000", "DELTA_J2000"))
    made["NUMBER"] = np.arange(8)
    hdus[1] = fits.BinTableHDU.from_columns(
        [fits.Column("Field Header Card", "80A", array=head)], name="LDAC_IMHEAD"
    )
    hdus.append(fits.BinTableHDU(made, name="LDAC_OBJECTS"))


def _no_table(hdus):
    del hdus[1]


def _ascii_table(hdus):
    columns = [fits.Column("id", "A8", array=np.array(good.IDS))]
    columns += [fits.Column(n, "F14.9", array=v, ascii=True) for n, v in (("ra", RA), ("dec", DEC))]
    hdus[1] = fits.TableHDU.from_columns(columns, name="SOURCES")


def _blank_cards(hdus):
    hdus[1].header["TNULL1"], hdus[1].header["TDISP2"] = "x", "nonsense"


FITS = {
    "fits, another table first": partial(_fits, _other_table_first),
    "fits, an image first": partial(_fits, _image_first, works=True),
    "LDAC": partial(_fits, _ldac, ids=[str(n) for n in range(8)], works=True),
    "LDAC named .cat": partial(_fits, _ldac, "c.cat", ids=[str(n) for n in range(8)]),
    "fits, no table": partial(_fits, _no_table, refused=True),
    "fits, table of text": partial(_fits, _ascii_table, works=True),
    "fits named .cat": partial(_fits, lambda hdus: None, "c.cat"),
    "fits named .csv": partial(_fits, lambda hdus: None, "c.csv"),
    "fits, senseless TNULL and TDISP": partial(_fits, _blank_cards),
    "csv named .fits": partial(_text, "c.fits", GOOD),
    "csv named .vot": partial(_text, "c.vot", GOOD),
    "csv named .ecsv": partial(_text, "c.ecsv", GOOD),
    "ecsv named .csv": lambda: _text("c.csv", _written_ecsv()),
    "the image": lambda: ("image.fits", Right(refused=True)),
    "a folder": lambda: (Path("c.csv").mkdir(), ("c.csv", Right(refused=True)))[1],
    "no such file": lambda: ("nowhere.csv", Right(refused=True)),
}


def _written_ecsv() -> bytes:
    table().write("made.ecsv", format="ascii.ecsv")
    return Path("made.ecsv").read_bytes()


_ODD_NAMES = (
    *("a b.csv", "αβγ.csv", "[1].csv", "c.csv[1]", "%41.csv", "a#b.csv", "a'b.csv", 'a"b.csv'),
    *("a\nb.csv", "-c.csv", "http:c.csv", "c..csv", "{x}.csv", "*.csv", "n" * 240 + ".csv"),
)


def _odd_name(name: str) -> tuple[str, Right]:
    Path(name).write_text(GOOD)
    return "./" + name if name.startswith("-") else name, Right(works=True)


NAMES_OF_FILES = {f"named {name[:20]!r}": partial(_odd_name, name) for name in _ODD_NAMES}

### damage #########################################################################################


def damage(rng: np.random.Generator) -> tuple[str, Callable[[], tuple[str, Right]]]:
    """Bytes of a good catalogue changed, lost or repeated."""
    name = str(rng.choice([n for n in BASIC if BASIC[n].keywords.get("works")] + ["LDAC"]))
    how = str(rng.choice(["bytes", "bytes", "bytes", "cut", "line gone", "line twice", "hole"]))
    number, draw = int(rng.choice([1, 1, 2, 5])), int(rng.integers(2**31))

    def make() -> tuple[str, Right]:
        random = np.random.default_rng(draw)
        file, right = FITS[name]() if name == "LDAC" else BASIC[name]()
        data = bytearray(Path(file).read_bytes())
        right.works, right.lost = False, 8  # damage to the head can take every row
        head = _head(bytes(data))
        if how == "bytes":
            places = random.integers(0, len(data), number)
            for place in places:
                data[place] ^= 1 << random.integers(8)
            if (places > head).all():
                right.lost = min(number * 2, 8)
        elif how == "cut":
            data = data[: random.integers(1, len(data))]
            if file.endswith((".fits", ".fit", ".vot", ".xml")):
                right.lost = 0  # of these the end is known: all rows, or an error
        elif how == "hole":
            at = int(random.integers(len(data)))
            del data[at : at + int(random.integers(1, 60))]
        else:
            rows = data.split(b"\n")
            at = int(random.integers(len(rows)))
            rows[at : at + 1] = [] if how == "line gone" else [rows[at]] * 2
            data = bytearray(b"\n".join(rows))
        Path(file).write_bytes(data)
        return file, right

    return f"{name}: {how}{f' {number}' if how == 'bytes' else ''} ({draw})", make


def _head(data: bytes) -> int:
    """Where a catalogue's rows begin, about; all of it where that is not known."""
    for mark in (b"<TABLEDATA>", b"<STREAM"):
        if mark in data:
            return data.index(mark) + len(mark) if mark == b"<TABLEDATA>" else len(data)
    if data.startswith(b"SIMPLE"):
        return len(data)
    return data.rfind(b"id") + 20


### all of them ####################################################################################


def choose(count: int, seed: int) -> list[Case]:
    """The fixed cases in an order of the seed, and damaged ones between them."""
    families = (BASIC, PACKED, NAMES, UNITS, NUMBERS, ROWS, VOTABLES, FITS, NAMES_OF_FILES)
    named = {name: make for family in families for name, make in family.items()}
    named |= {f"text: {name}": partial(_plain, name) for name in TEXTS}
    fixed = [Case(name, partial(_judged, make)) for name, make in named.items()]
    order = np.random.default_rng([seed, 1]).permutation(len(fixed))
    chosen: list[Case] = []
    taken = 0
    for number in range(count):
        if number % 3 and taken < len(fixed):
            chosen.append(fixed[order[taken]])
            taken += 1
        else:
            name, make = damage(np.random.default_rng([seed, 2, number]))
            chosen.append(Case(name, partial(_judged, make)))
    return chosen


def main() -> int:
    options = harness.arguments("catalogues", __doc__.split("\n")[0], count=300, limit=30)
    cases = choose(options.count, options.seed)
    if options.list:
        return harness.run(cases, options)
    with tempfile.TemporaryDirectory():
        for name in ("csv", "vot", "fits"):
            harness.import_what_is_needed(Case(name, partial(_judged, BASIC[name])))
        return harness.run(cases, options)


if __name__ == "__main__":
    sys.exit(main())

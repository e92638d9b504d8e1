"""Is what `mirimask` wrote for an image right? Judged by the sky of the stars, known beforehand."""

import json
import multiprocessing
import os
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import field as good
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_area
from harness import Answer, Failed, demand, mirimask, quiet, said

SCALES = (0.005, 5.0)  # arcsec a pixel; what lies outside no camera has
FAR = 3  # rows of the catalogue that are not on the image


@dataclass
class Expected:
    """What is right for an image.

    `stars`: ICRS degrees of the stars' pixels; None: those of the WCS that the file is read with.
    `data`: the pixels in MJy/sr, the true ones; None: those of the file. `refused`: the only right
    answer is an error; `works`: an error is wrong. `same`: the mask is that of the good image;
    `marked`: every star of `where` is in it. `warning`: a pattern that standard error must have
    where it works, unless finding those stars excuses it (`excused`). `names`: of files and
    planes, one of which an error has to name. `options`: of the command. `area`: of a pixel, in
    those of the good image.
    """

    stars: tuple[np.ndarray, np.ndarray] | None = None
    data: np.ndarray | None = None
    refused: bool = False
    works: bool = False
    same: bool = False
    marked: bool = False
    warning: str = ""
    excused: bool = False
    names: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    area: float = 1.0
    file: str = "image.fits"
    where: np.ndarray = field(default_factory=lambda: np.ones(len(good.X), bool))  # stars to find


@dataclass
class Reading:
    """What astropy reads in a file, without the project."""

    wcs: WCS
    data: np.ndarray
    valid: np.ndarray
    scale: float
    unit: str
    filter: str


def read(path: str) -> Reading:
    """The science image of a file; raises what astropy raises."""
    with warnings.catch_warnings(), fits.open(path, memmap=False) as hdus:
        warnings.simplefilter("ignore")
        images = [hdu for hdu in hdus if getattr(hdu, "is_image", False)]
        named = [hdu for hdu in images if hdu.name == "SCI"]
        science = (named or [hdu for hdu in images if hdu.data is not None])[0]
        wcs = WCS(science.header, hdus).celestial
        data = np.asarray(science.data, dtype=float)
        data = data.reshape(data.shape[-2:]) if data.shape[:-2] == (1,) * (data.ndim - 2) else data
        valid = np.isfinite(data)
        for hdu in images:
            if hdu.name == "WHT" and hdu.data is not None and hdu.data.shape == data.shape:
                valid &= hdu.data > 0
        return Reading(
            wcs,
            data,
            valid,
            float(np.sqrt(proj_plane_pixel_area(wcs))) * 3600,
            str(science.header.get("BUNIT", "")),
            str(hdus[0].header.get("FILTER", "")),
        )


def outcome(expected: Expected) -> tuple[str, str]:
    """Run the three commands on the image in this folder, and judge all that they write."""
    file, names = expected.file, (expected.file, *expected.names)
    truth = expected.stars or good.sky()
    Path("stars.csv").write_text(good.catalogue(*truth))
    first = mirimask("stats", file, "--json", *expected.options)
    reading = None
    if first.status == 0 and expected.stars is None and not expected.refused:
        reading = _as_read(file)
        if reading is not None:
            truth = _stars_of(reading)
            Path("stars.csv").write_text(good.catalogue(*truth))
    mask = mirimask(
        *("mask", file, "-o", "m.fits", "--labels", "l.fits", "--catalogue", "c.ecsv"),
        *("--regions", "r.reg", "--sources", "stars.csv", *expected.options),
    )
    score = mirimask(
        *("score", file, "stars.csv", "--method", "recommended", "-o", "v.csv"),
        *expected.options,
    )
    answers = {"stats": first, "mask": mask, "score": score}
    for name, answer in answers.items():
        if answer.status == 0:
            demand(not expected.refused, f"{name}: accepted what cannot be right")
        else:
            said(answer, *names)
            demand(not expected.works, f"{name}: refused what is good: {answer.errors[0][:150]}")
    written = [name for name in ("m.fits", "l.fits", "c.ecsv", "r.reg") if Path(name).exists()]
    demand(mask.status == 0 or not written, f"mask: refused, but {written} written")
    demand(score.status == 0 or not Path("v.csv").exists(), "score: refused, but v.csv written")
    if first.status == 0:
        _stats(first, expected, reading)
    if mask.status == 0:
        _files(expected, reading, truth)
    if score.status == 0:
        _verdicts(expected)
    for answer in answers.values():
        if answer.status == 0:
            if expected.warning and not (expected.excused and _found(expected.where)):
                demand(
                    re.search(expected.warning, answer.err),
                    f"no warning of {expected.warning!r}",
                )
            quiet(answer)
    return ("ok", "") if all(a.status == 0 for a in answers.values()) else ("said", "")


def _as_read(file: str) -> Reading | None:
    """What astropy reads; None where it raises something.

    Failed where it can be read and still makes no sense, since the project took it.
    """
    try:
        reading = read(file)
        ra, dec = _stars_of(reading)
    except Exception:  # whatever the file makes astropy raise
        return None
    demand(reading.data.ndim == 2, f"accepted {reading.data.ndim} axes")
    demand(np.isfinite(ra).all() and np.isfinite(dec).all(), "accepted a WCS that gives NaN")
    lowest, highest = SCALES
    demand(lowest <= reading.scale <= highest, "accepted a scale that no camera has")
    return reading


def _stars_of(reading: Reading) -> tuple[np.ndarray, np.ndarray]:
    sky = reading.wcs.pixel_to_world(good.X, good.Y).icrs
    return sky.ra.deg, sky.dec.deg


def _close(found: float, wanted: float, tolerance: float = 1e-5) -> bool:
    return bool(np.isclose(found, wanted, rtol=tolerance, atol=1e-6))


def _stats(answer: Answer, expected: Expected, reading: Reading | None) -> None:
    try:
        row = json.loads(answer.out)
    except ValueError:
        raise Failed("wrong", "stats: standard output is not JSON alone") from None
    demand(row["shape"] == list(good.SHAPE) or reading or expected.data is not None, "stats: shape")
    if expected.data is not None:
        data, valid = expected.data, np.isfinite(expected.data)
    elif reading is not None and reading.unit == "MJy/sr":
        data, valid = reading.data, reading.valid
    else:
        return
    demand(row["shape"] == list(data.shape), f"stats: shape {row['shape']}")
    finite = data[np.isfinite(data)]
    seen = data[valid]
    if not seen.size or np.abs(finite).max() > 1e37:
        return
    for name, function in (("max", np.max), ("median", np.median), ("min", np.min)):
        wanted = {float(function(part.astype(np.float32))) for part in (finite, seen)}
        demand(
            any(_close(row[name], value) for value in wanted),
            f"stats: another {name}",
        )
    if reading is not None:
        scales = (reading.scale, _scale_in_the_middle(reading))
        demand(
            any(_close(row["pixel_scale_arcsec"], scale, 1e-4) for scale in scales),
            "stats: pixel scale",
        )
    else:
        wanted = 0.11 * np.sqrt(expected.area)
        demand(_close(row["pixel_scale_arcsec"], wanted, 1e-3), "stats: pixel scale")


def _scale_in_the_middle(reading: Reading) -> float:
    """Arcsec a pixel from the sky of four pixels; the plane of projection is another far out."""
    rows, columns = reading.data.shape
    x, y = (columns - 1) / 2, (rows - 1) / 2
    corners = reading.wcs.pixel_to_world([x - 0.5, x + 0.5, x - 0.5], [y - 0.5, y - 0.5, y + 0.5])
    right, up = (corners[0].spherical_offsets_to(corners[i]) for i in (1, 2))
    area = right[0].arcsec * up[1].arcsec - right[1].arcsec * up[0].arcsec
    return float(np.sqrt(abs(area)))


def _files(
    expected: Expected, reading: Reading | None, truth: tuple[np.ndarray, np.ndarray]
) -> None:
    stars = SkyCoord(*truth, unit="deg")
    shape = good.SHAPE if expected.data is None else expected.data.shape
    if reading is not None:
        shape = reading.data.shape
    arrays = {}
    for name, extension in (("m.fits", "MASK"), ("l.fits", "SCI")):
        with warnings.catch_warnings(), fits.open(name) as hdus:
            warnings.simplefilter("ignore")
            arrays[name] = np.array(hdus[extension].data)
            demand(arrays[name].shape == shape, f"{name}: shape {arrays[name].shape}")
            try:
                x, y = WCS(hdus[extension].header, hdus).celestial.world_to_pixel(stars)
            except Exception as error:
                raise Failed(
                    "wrong", f"{name}: WCS cannot be read: {type(error).__name__}"
                ) from None
        away = np.hypot(x - good.X, y - good.Y).max()
        demand(away < 0.002, f"{name}: its WCS has the stars elsewhere ({_size(away)})")
    mask = arrays["m.fits"]
    demand(((arrays["l.fits"] > 0) == (mask > 0)).all(), "labels and mask differ")
    if expected.same:
        wanted = np.load(REFERENCE)["mask"]
        demand(mask.shape == wanted.shape and (mask == wanted).all(), "the mask has other pixels")
    column, row = np.round(good.X).astype(int), np.round(good.Y).astype(int)
    if expected.marked or expected.same:
        demand(mask[row, column][expected.where].all(), "stars are not in the mask")
        # eight bright stars on 90 x 96 px: their halos are half of it
        demand(mask.mean() < 0.6, "most of the image is in the mask")
        _measured(expected, stars)
    _regions(stars)


def _measured(expected: Expected, stars: SkyCoord) -> None:
    table = Table.read("c.ecsv", format="ascii.ecsv")
    found = SkyCoord(table["ra"], table["dec"], unit="deg")
    nearest, away, _ = stars[expected.where].match_to_catalog_sky(found)
    demand((away.arcsec < 0.11).all(), f"c.ecsv: stars elsewhere ({_size(away.arcsec.max())} as)")
    ids = [name for name, there in zip(good.IDS, expected.where, strict=True) if there]
    matched = [str(name) for name in table["match_id"][nearest]]
    demand(matched == ids, "c.ecsv: match_id")
    if not expected.same:
        return
    # a Gaussian's light in the circle of 2.75 px, times the point source's correction, in uJy
    inside = 1 - np.exp(-((2.75 / good.SIGMA_PX) ** 2) / 2)
    wanted = good.FLUX * inside * 1.6746 * good.AREA_SR * expected.area * 1e12
    ratio = np.array(table["point_flux"][nearest]) / wanted[expected.where]
    demand((np.abs(ratio - 1) < 0.1).all(), f"c.ecsv: fluxes x {np.median(ratio):.3g}")


def _regions(stars: SkyCoord) -> None:
    text = Path("r.reg").read_text()
    circles = re.findall(r"circle\(([-\d.]+),([-\d.]+),[^\n]*tag=\{source\}", text)
    demand(len(circles) == len(stars), f"r.reg: {len(circles)} sources")
    found = SkyCoord(np.array(circles, float), unit="deg")
    _, away, _ = stars.match_to_catalog_sky(found)
    demand((away.arcsec < 0.001).all(), "r.reg: sources elsewhere")


def _verdicts(expected: Expected) -> None:
    table = Table.read("v.csv", format="ascii.csv", converters={"id": str})
    demand([str(name) for name in table["id"]] == good.IDS, f"score: {len(table)} sources of 8")
    away = np.hypot(table["x"] - good.X, table["y"] - good.Y).max()
    demand(away < 0.01, f"score: sources at other pixels ({_size(away)})")
    if expected.same or expected.marked:
        good_ones = np.array(table["verdict"] == "success")[expected.where]
        demand(good_ones.all(), "score: stars that are in the mask are no success")


def _found(where: np.ndarray) -> bool:
    """The stars that are there are found, whatever stands in the rest of the image."""
    table = Table.read("v.csv", format="ascii.csv") if Path("v.csv").exists() else {"verdict": []}
    return len(table) == len(where) and (np.array(table["verdict"])[where] == "success").all()


def _size(number: float) -> str:
    """A distance by its power of ten: what the same faults have in common."""
    return (
        "NaN" if not np.isfinite(number) else f"about 1e{int(np.floor(np.log10(number + 1e-9)))} px"
    )


REFERENCE = Path("reference.npz")


def prepare(folder: Path) -> None:
    """Make the good image's mask, in a process of its own, for the others to be compared with."""
    global REFERENCE
    REFERENCE = folder / "reference.npz"
    process = multiprocessing.get_context("fork").Process(target=_reference, args=(folder,))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit("error: no mask of the good image could be made")


def _reference(folder: Path) -> None:
    os.chdir(folder)
    Path("image.fits").write_bytes(good.as_bytes(good.image()))
    answer = mirimask("mask", "image.fits", "-o", "reference.fits")
    if answer.status:
        raise SystemExit(answer.err)
    np.savez(REFERENCE, mask=fits.getdata("reference.fits", "MASK"))

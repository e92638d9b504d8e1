"""Regions for DS9 and CARTA: the sources of a mask and of a catalogue."""

import re

import astropy.units as u
import numpy as np
from astropy.table import Table
from astropy.wcs import WCS
from numpy.typing import NDArray

from mirimask.image.frame import Frame

__all__ = ["VERDICT_COLOURS", "label_regions", "region_file", "source_regions"]

# Told apart without colour too: a near miss is dashed, a failure dashed and named in its tag.
VERDICT_COLOURS = {"success": "green", "near": "yellow", "failure": "red"}


_HEAD = "# Region file format: DS9"
_LABEL_COLOUR = " color=cyan"


def _plain(text: object) -> str:
    """A name that can neither end its quotes nor begin a line of its own in a region file."""
    return re.sub(r"[^\w.+\-() ]", "_", str(text))[:80]


def label_regions(measured: Table, wcs: WCS) -> list[str]:
    """An ellipse of each label's area, axis ratio and direction; a circle where it has no shape.

    A line of a region file each, in ICRS. `measured` is a table of `photometry.measure_labels`,
    whose x and y are pixels of `wcs`.
    """
    if not len(measured):
        return []
    x, y, area, semimajor, semiminor, orientation = (
        np.asarray(measured[name], float)
        for name in ("x", "y", "area", "semimajor_sigma", "semiminor_sigma", "orientation")
    )
    radius = np.sqrt(area / np.pi)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = semiminor / semimajor
    shaped = np.isfinite(ratio) & (ratio > 0)
    ratio = np.where(shaped, ratio, 1)
    # the columns are the semi-axes in pixels, then on the sky
    angle = np.radians(np.where(shaped, orientation, 0))
    axes = _matrices(np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle))
    axes *= np.stack([radius / np.sqrt(ratio), radius * np.sqrt(ratio)], -1)[:, None, :]
    pixel = _pixel_on_sky(x, y, wcs)
    directions, lengths, _ = np.linalg.svd(pixel @ axes)
    # which of the two is the major one: by direction, as a shear may make it the shorter
    on_sky = (pixel @ axes)[:, :, 0]
    along = np.abs(np.einsum("nij,ni->nj", directions, on_sky))
    first = np.where(along[:, 0] >= along[:, 1], 0, 1)
    row = np.arange(len(x))
    direction = directions[row, :, first]
    direction *= np.where(np.sum(direction * on_sky, axis=1) < 0, -1, 1)[:, None]
    # a position angle is from north to east, an angle of a region from the west through the north
    turned = (np.degrees(np.arctan2(direction[:, 0], direction[:, 1])) % 360 + 90) % 360
    one, other = (np.degrees(lengths[row, axis]) for axis in (first, 1 - first))
    scale = np.degrees(np.sqrt(np.abs(np.linalg.det(pixel))))
    sky = wcs.pixel_to_world(x, y).icrs
    ra, dec = sky.ra.deg, sky.dec.deg
    lines = []
    for i, label in enumerate(measured["label"]):
        at = f"{ra[i]:.8f},{dec[i]:.8f}"
        shape = f"circle({at},{radius[i] * scale[i]:.8f})"
        if shaped[i]:
            shape = f"ellipse({at},{one[i]:.8f},{other[i]:.8f},{turned[i]:.8f})"
        lines.append(f"{shape} # text={{{label}}} tag={{label}}{_LABEL_COLOUR}")
    return lines


def _matrices(*values: NDArray[np.floating]) -> NDArray[np.float64]:
    """2 x 2 matrices (n, 2, 2) from their elements, column by column."""
    return np.stack(values, -1).reshape(-1, 2, 2).swapaxes(1, 2)


def _pixel_on_sky(
    x: NDArray[np.floating], y: NDArray[np.floating], wcs: WCS
) -> NDArray[np.float64]:
    """What a step of a pixel along x and along y is on the sky: (n, 2, 2) radians.

    Rows: to the east, to the north; columns: x, y. By finite differences of one pixel.
    """
    # there and back, as `regions` does: the same digits as it writes
    x, y = wcs.world_to_pixel(wcs.pixel_to_world(x, y))
    sky = wcs.pixel_to_world(x, y).icrs
    steps = []
    for step in (wcs.pixel_to_world(x + 1, y).icrs, wcs.pixel_to_world(x, y + 1).icrs):
        distance, towards = sky.separation(step).rad, sky.position_angle(step).rad
        steps += [distance * np.sin(towards), distance * np.cos(towards)]
    return _matrices(*steps)


def source_regions(verdicts: Table, *, radius_arcsec: float) -> list[str]:
    """A circle at each catalogue source (id, ra, dec, and verdict where it has been given one).

    A line of a region file each, in ICRS.
    """
    radius = (radius_arcsec * u.arcsec).to_value(u.deg)
    given = verdicts["verdict"] if "verdict" in verdicts.colnames else [""] * len(verdicts)
    lines = []
    for name, ra, dec, verdict in zip(
        verdicts["id"], verdicts["ra"], verdicts["dec"], map(str, given), strict=True
    ):
        tags = "".join(f" tag={{{tag}}}" for tag in ("source", verdict) if tag)
        dashed = " dash=1" if verdict in ("near", "failure") else ""
        lines.append(
            f"circle({ra:.8f},{dec:.8f},{radius:.8f}) # text={{{_plain(name)}}}{tags} "
            f"color={VERDICT_COLOURS.get(verdict, 'white')}{dashed}"
        )
    return lines


def region_file(
    measured: Table,
    crop: Frame,
    *,
    method: str,
    verdicts: Table | None = None,
    radius_arcsec: float = 0.0,
) -> str:
    """A DS9 region file: the labels of a mask and, where there are any, the catalogue's sources.

    `measured` is a table of `photometry.measure_labels` on `crop`, `verdicts` has id, ra, dec and
    (optionally) verdict. Sky coordinates, ICRS; tags (label, source and the verdict) select groups.
    """
    comments = {"image": crop.primary.get("IMAGE", ""), "method": method}
    if crop.simulated:
        comments["SIMULATED"] = "not observed by JWST"
    labels = label_regions(measured, crop.wcs)
    sources = []
    if verdicts is not None:
        sources = source_regions(verdicts, radius_arcsec=radius_arcsec)
    lines = [f"# {key}: {_plain(value)}" for key, value in comments.items()]
    if labels and not sources:  # one colour for all is said once
        lines.append(f"global{_LABEL_COLOUR}")
        labels = [line.removesuffix(_LABEL_COLOUR) for line in labels]
    if labels or sources:
        lines = [f"{_HEAD} astropy/regions", *lines, "icrs", *labels, *sources]
    else:
        lines.insert(0, _HEAD)
    return "\n".join(lines) + "\n"

"""Regions for DS9 and CARTA: the sources of a mask and of a catalogue."""

import re

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.wcs import WCS
from regions import (
    CirclePixelRegion,
    CircleSkyRegion,
    EllipsePixelRegion,
    EllipseSkyRegion,
    PixCoord,
    Regions,
)

from mirimask.frame import Frame

__all__ = ["VERDICT_COLOURS", "label_regions", "region_file", "source_regions"]

# Told apart without colour too: a near miss is dashed, a failure dashed and named in its tag.
VERDICT_COLOURS = {"success": "green", "near": "yellow", "failure": "red"}


_HEAD = "# Region file format: DS9"


def _plain(text: object) -> str:
    """A name that can neither end its quotes nor begin a line of its own in a region file."""
    return re.sub(r"[^\w.+\-() ]", "_", str(text))[:80]


def label_regions(measured: Table, wcs: WCS) -> list[EllipseSkyRegion | CircleSkyRegion]:
    """An ellipse of each label's area, axis ratio and direction; a circle where it has no shape.

    In ICRS, whatever system `wcs` is in.
    `measured` is a table of `photometry.measure_labels`, whose x and y are pixels of `wcs`.
    """
    made = []
    for row in measured:
        center = PixCoord(row["x"], row["y"])
        radius = np.sqrt(row["area"] / np.pi)
        ratio = row["semiminor_sigma"] / row["semimajor_sigma"]
        about = {
            "meta": {"text": str(row["label"]), "tag": ["label"]},
            "visual": {"color": "cyan"},
        }
        if np.isfinite(ratio) and ratio > 0:
            major, minor = 2 * radius / np.sqrt(ratio), 2 * radius * np.sqrt(ratio)
            shape = EllipsePixelRegion(center, major, minor, row["orientation"] * u.deg, **about)
        else:
            shape = CirclePixelRegion(center, radius, **about)
        made.append(_in_icrs(shape.to_sky(wcs)))
    return made


def _in_icrs(region: EllipseSkyRegion | CircleSkyRegion) -> EllipseSkyRegion | CircleSkyRegion:
    """A region of an image in another system: its centre, and its angle from that of north."""
    center = region.center
    if center.frame.name == "icrs":
        return region
    north = center.directional_offset_by(0 * u.deg, 1 * u.arcsec)
    turned = region.copy(center=center.icrs)
    if isinstance(turned, EllipseSkyRegion):
        turned.angle = region.angle + center.icrs.position_angle(north.icrs)
    return turned


def source_regions(verdicts: Table, *, radius_arcsec: float) -> list[CircleSkyRegion]:
    """A circle at each catalogue source (id, ra, dec, and verdict where it has been given one)."""
    made = []
    for row in verdicts:
        verdict = str(row["verdict"]) if "verdict" in verdicts.colnames else ""
        visual = {"color": VERDICT_COLOURS.get(verdict, "white")}
        if verdict in ("near", "failure"):
            visual["linestyle"] = "--"
        made.append(
            CircleSkyRegion(
                SkyCoord(row["ra"], row["dec"], unit="deg", frame="icrs"),
                radius_arcsec * u.arcsec,
                meta={"text": _plain(row["id"]), "tag": ["source", *filter(None, [verdict])]},
                visual=visual,
            )
        )
    return made


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
    regions = label_regions(measured, crop.wcs)
    if verdicts is not None:
        regions += source_regions(verdicts, radius_arcsec=radius_arcsec)
    text = Regions(regions).serialize(format="ds9", precision=8) if regions else _HEAD
    first, _, rest = text.partition("\n")
    lines = [f"# {key}: {_plain(value)}" for key, value in comments.items()]
    return "\n".join([first, *lines, rest.rstrip("\n")]).rstrip("\n") + "\n"

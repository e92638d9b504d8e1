"""Catalogue sources on an image."""

import logging

import numpy as np
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.frame import celestial_wcs

__all__ = ["locate_sources"]

log = logging.getLogger(__name__)


def locate_sources(
    catalogue: Table,
    header: fits.Header,
    shape: tuple[int, int],
    *,
    id_column: str,
    ra_column: str,
    dec_column: str,
    keep: str = "",
) -> Table:
    """The sources of a catalogue that lie on an image of `shape` (ny, nx) with the WCS of `header`.

    Columns: id (text), ra, dec (degrees, ICRS), x, y (0-based pixels). Rows without a finite
    position are dropped, and so are those that do not fulfil `keep`, a condition on the
    catalogue's columns in the syntax of `pandas.eval`; the table's meta counts both, and those
    outside. An empty catalogue gives a table without rows. Raises MaskError for a missing column or
    a condition that cannot be evaluated.
    """
    missing = [name for name in (ra_column, dec_column) if name not in catalogue.colnames]
    if missing:
        raise MaskError(
            f"catalogue: no column {' and no column '.join(missing)}; it has "
            f"{', '.join(catalogue.colnames)}. Set catalogue.ra and catalogue.dec."
        )
    kept = np.ones(len(catalogue), dtype=bool)
    if keep and len(catalogue):
        plain = [name for name in catalogue.colnames if catalogue[name].ndim == 1]
        try:
            kept = np.asarray(catalogue[plain].to_pandas().eval(keep), dtype=bool)
        except Exception as error:
            raise MaskError(f"catalogue.keep: '{keep}' cannot be evaluated: {error}.") from None
        if kept.shape != (len(catalogue),):
            raise MaskError(f"catalogue.keep: '{keep}' is not a condition on the rows.")
    ra: NDArray[np.float64] = np.ma.filled(np.ma.asarray(catalogue[ra_column], dtype=float), np.nan)
    dec: NDArray[np.float64] = np.ma.filled(
        np.ma.asarray(catalogue[dec_column], dtype=float), np.nan
    )
    finite = np.isfinite(ra) & np.isfinite(dec)
    x, y = np.full(len(ra), np.nan), np.full(len(ra), np.nan)
    if finite.any():
        x[finite], y[finite] = celestial_wcs(header).all_world2pix(ra[finite], dec[finite], 0)
    ny, nx = shape
    inside = (x >= -0.5) & (x < nx - 0.5) & (y >= -0.5) & (y < ny - 0.5)
    if id_column in catalogue.colnames:
        names = np.asarray(catalogue[id_column]).astype(str)
    else:
        names = np.arange(1, len(catalogue) + 1).astype(str)
    chosen = kept & finite & inside
    counts = {
        "n_rows": len(catalogue),
        "n_removed": int((~kept).sum()),
        "n_not_finite": int((kept & ~finite).sum()),
        "n_outside": int((kept & finite & ~inside).sum()),
    }
    log.info("%d sources on the image; %s", chosen.sum(), counts)
    if counts["n_not_finite"]:
        log.warning("%d rows have no finite position and are dropped", counts["n_not_finite"])
    if not chosen.any():
        log.warning("no catalogue source lies on this image: there is nothing to score")
    return Table(
        {
            "id": names[chosen].astype(str) if chosen.any() else np.array([], dtype="U1"),
            "ra": ra[chosen],
            "dec": dec[chosen],
            "x": np.round(x[chosen], 4),
            "y": np.round(y[chosen], 4),
        },
        units={"ra": "deg", "dec": "deg", "x": "pix", "y": "pix"},
        meta=counts,
    )

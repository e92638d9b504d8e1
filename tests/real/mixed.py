"""The images of a study of one's own that has a bit of everything, from ../shared/real."""

import gzip
import shutil

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from scipy.ndimage import zoom

CATALOGUE = "mophongo_uds1_photometry_a.cat"
PARTS = "100:350,100:400", "200:700,200:800"  # the same sky on both pixel scales


def half_pixels(sci, wht, folder):
    """The UDS image on pixels of half the size: the same brightness, the same sky."""
    data, header = fits.getdata(sci), fits.getheader(sci)
    weight = fits.getdata(wht)
    fine = zoom(data, 2, order=3, grid_mode=True, mode="nearest") / 4  # flux in a pixel
    header["CRPIX1"] = 2 * header["CRPIX1"] - 0.5
    header["CRPIX2"] = 2 * header["CRPIX2"] - 0.5
    for card in ("CDELT1", "CDELT2"):
        header[card] /= 2
    for card in ("PIXAR_SR", "PIXAR_A2"):
        header[card] /= 4
    fine_weight = zoom(weight, 2, order=0, grid_mode=True, mode="nearest")
    fine = np.where(fine_weight > 0, fine, 0).astype(np.float32)
    paths = folder / "uds40_sci.fits", folder / "uds40_wht.fits"
    fits.PrimaryHDU(fine, header).writeto(paths[0])
    fits.PrimaryHDU(fine_weight).writeto(paths[1])
    return paths


def placed(stamp, folder):
    """A stamp without a WCS with a made-up one, as its PIXSCALE says."""
    with fits.open(stamp) as hdus:
        scale = hdus[0].header["PIXSCALE"] / 3600
        wcs = WCS(naxis=2)
        ny, nx = hdus["SCI"].data.shape
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.crval, wcs.wcs.crpix = [172.96, -12.53], [(nx + 1) / 2, (ny + 1) / 2]
        wcs.wcs.cdelt = [-scale, scale]
        hdus["SCI"].header.update(wcs.to_header())
        hdus["SCI"].header["BUNIT"] = "MJy/sr"
        path = folder / "lens.fits"
        hdus.writeto(path)
        images = Table(hdus["QSOIMAGES"].data)
    x, y = (np.asarray(images[name], float) for name in images.colnames[:2])
    ra, dec = wcs.all_pix2world(x, y, 0)
    catalogue = folder / "lens.csv"
    Table({"id": ["A", "B", "C", "D"][: len(x)], "ra": ra, "dec": dec}).write(catalogue)
    return path, catalogue


def mixed_rows(real, folder):
    """Write what has to be made; the rows of the table of images."""
    images = real / "images"
    sci, wht = (images / f"mophongo_uds1_f770w_80mas_{name}.fits" for name in ("sci", "wht"))
    catalogue = real / "catalogues" / CATALOGUE
    fine, fine_weight = half_pixels(sci, wht, folder)
    lens, lens_catalogue = placed(images / "lenses" / "rxj1131_MIRI560W.fits.gz", folder)
    packed = images / "jw01288015001_04101_00001_mirimage_i2d.fits.gz"
    orion = folder / "orion.fits"
    with gzip.open(packed) as source, open(orion, "wb") as plain:
        shutil.copyfileobj(source, plain)
    uds = {"filter": "F770W", "pixel_unit": "10*nJy", "catalogue": catalogue}
    return [
        uds | {"image": "uds80", "i2d": sci, "wht": wht, "crop": PARTS[0]},
        uds | {"image": "uds40", "i2d": fine, "wht": fine_weight, "crop": PARTS[1]},
        {"image": "orion", "filter": "F1130W", "i2d": orion},
        {"image": "lens", "filter": "F560W", "i2d": lens, "catalogue": lens_catalogue},
    ]

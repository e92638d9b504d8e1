"""Images and masks from their files and into them."""

import gzip
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from mirimask.atomic import replacing
from mirimask.errors import DamagedFile, MaskError
from mirimask.image.frame import Frame, crop_frame, empty_pixels, pixel_cards, whole_frame
from mirimask.image.instrument import band_of, psf_fwhm_arcsec
from mirimask.image.own_files import KEYWORDS, read_planes
from mirimask.image.parts import strips
from mirimask.image.product import card_text, check_area, opened, usable_planes
from mirimask.image.wcs import read_wcs
from mirimask.sizes import LEAST_SIDE

__all__ = [
    "frame_of",
    "geometry_cards",
    "open_image",
    "read_crop",
    "read_frame",
    "read_gradient",
    "read_mask",
    "write_crop",
    "write_gradient",
    "write_in_strips",
    "write_mask",
    "write_whole_mask",
    "writing",
]

_logger = logging.getLogger("mirimask.image.files")

_LEAST_FWHM_PX = 0.1  # below it boxes in widths of the PSF have no pixel


### images #########################################################################################


def open_image(
    path: str | Path,
    *,
    filter_name: str = "",
    rows: tuple[int, int] | None = None,
    columns: tuple[int, int] | None = None,
    error_path: str | Path | None = None,
    weight_path: str | Path | None = None,
    pixel_unit: str = "",
    keep: Collection[str] = ("ERR", "WHT"),
    in_file: bool = False,
    fwhm_arcsec: float | None = None,
    settings: Mapping[str, str] = KEYWORDS,
) -> Frame:
    """Read an i2d, or any FITS image with a celestial WCS, ready for every mask.

    `rows` and `columns` cut the image ((first, last + 1), 0-based; None: the whole axis).
    `filter_name` is for a header without FILTER, `fwhm_arcsec` the width of the PSF of any other
    camera than MIRI and NIRCam; `settings` is how messages call these (see `own_files.KEYWORDS`);
    the other options are those of `own_files.read_planes`. The frame's `data` are MJy/sr, `empty`
    True where nothing was observed. MaskError says what is wrong with the file.
    """
    read = read_planes(
        path,
        error_path=error_path,
        weight_path=weight_path,
        pixel_unit=pixel_unit,
        filter_name=filter_name,
        keep=keep,
        in_file=in_file,
        settings=settings,
    )
    instrument, band = band_of(read.primary)
    if fwhm_arcsec is None:
        if not band:
            raise MaskError(
                f"'{path}': its header has no FILTER, which the width of the PSF depends on; "
                f"name it ({settings['filter_name']}), or give the width "
                f"({settings['fwhm_arcsec']})."
            )
        try:
            psf_fwhm_arcsec(band, instrument)
        except MaskError as error:
            raise MaskError(
                f"'{path}': {error} Give the width ({settings['fwhm_arcsec']})."
            ) from None
    primary = fits.PrimaryHDU(header=read.primary).header
    wcs = read_wcs(read.header, read.data.shape, what=f"i2d '{path}'")
    planes = (read.data, read.empty, read.error, read.weight)
    frame = Frame(*planes, primary, wcs, psf_arcsec=fwhm_arcsec)
    most = max(LEAST_SIDE, *read.data.shape)
    if not (fwhm_arcsec is None or fwhm_arcsec > 0) or not _LEAST_FWHM_PX <= frame.fwhm_px <= most:
        width = fwhm_arcsec if fwhm_arcsec is not None else frame.fwhm_px * frame.pixel_scale
        raise MaskError(
            f"'{path}': the PSF is {width:g} arcsec wide, and a pixel {frame.pixel_scale:.4g}, of "
            f"which the image has {' x '.join(map(str, read.data.shape))}; no mask can be made "
            f"({settings['fwhm_arcsec']})."
        )
    code = card_text(Path(path).name)[:60]
    return crop_frame(frame, rows=rows, columns=columns, image=code, setting=settings["crop"])


def read_frame(path: str | Path, *, planes: bool = True) -> Frame:
    """Read the archive's i2d (PRIMARY, SCI and, where it has them, ERR and WHT; see `frame_of`).

    Raises MaskError where the file cannot be read or has no SCI image with a celestial WCS.
    """
    with opened(path, planes=("SCI", "ERR", "WHT")) as hdus:
        return frame_of(hdus, what=f"'{path}'", planes=planes)


def frame_of(hdus: fits.HDUList, *, what: str, planes: bool = True) -> Frame:
    """The frame that the HDUs of an i2d hold: PRIMARY, SCI and, where they are, ERR and WHT.

    Without `planes`, ERR and WHT only tell which pixels are empty, and are None in the frame.
    A PIXAR_SR that is not the pixel of the WCS is a warning: the WCS's is used.
    Raises MaskError, with `what` the file is called, without an SCI image with a celestial WCS.
    """
    found = {
        name: np.asarray(hdus[name].data, dtype=np.float32)
        for name in ("SCI", "ERR", "WHT")
        if name in hdus and hdus[name].is_image and hdus[name].data is not None
    }
    if "SCI" not in found or found["SCI"].ndim != 2:
        raise MaskError(f"{what}: no two-dimensional SCI image in it.")
    data, header = found["SCI"], hdus["SCI"].header
    for name, plane in found.items():
        if plane.shape != data.shape:
            raise MaskError(
                f"{what}: its {name} has the shape {plane.shape}, its SCI {data.shape}; they must "
                "be of the same frame."
            )
    error, weight = usable_planes(found.get("ERR"), found.get("WHT"), what=what)
    empty = empty_pixels(data, error=error, weight=weight)
    if not planes:
        error = weight = None
    wcs = read_wcs(header, data.shape, what=what)
    frame = Frame(data, empty, error, weight, hdus[0].header.copy(), wcs)
    check_area(header.get("PIXAR_SR"), frame.pixel_area_sr, what=what)
    return frame


### crops ##########################################################################################

# Cards of the PRIMARY of a crop's file that hold its geometry.
_GEOMETRY = {
    "CROPX0": "first column of the crop in the frame, 0-based",
    "CROPY0": "first row of the crop in the frame, 0-based",
    "FRAMENX": "columns of the frame",
    "FRAMENY": "rows of the frame",
}


def geometry_cards(crop: Frame) -> dict[str, tuple[int, str]]:
    """Cards that say which part of its frame a crop is."""
    values = [*crop.origin[::-1], *crop.frame_shape[::-1]]
    return {
        key: (int(value), comment)
        for (key, comment), value in zip(_GEOMETRY.items(), values, strict=True)
    }


def write_crop(path: str | Path, crop: Frame) -> None:
    """Write a crop as PRIMARY, SCI, EMPTY (uint8) and, where it has them, ERR and WHT."""
    primary = crop.primary.copy()
    primary["PIXSCALE"] = (crop.pixel_scale, "[arcsec] pixel scale")
    primary.update(geometry_cards(crop))
    primary["PSFFWHM"] = (crop.fwhm_px, "[px] FWHM of the PSF")
    if crop.psf_arcsec is not None:
        primary["PSFGIVEN"] = (crop.psf_arcsec, "[arcsec] FWHM of the PSF that was given")
    header = pixel_cards(crop.wcs, crop.data.shape, crop)
    header["BUNIT"] = "MJy/sr"
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary)])
    hdus.append(fits.ImageHDU(crop.data, header=header, name="SCI"))
    hdus.append(fits.ImageHDU(crop.empty.astype(np.uint8), name="EMPTY"))
    for array, name in ((crop.error, "ERR"), (crop.weight, "WHT")):
        if array is not None:
            hdus.append(fits.ImageHDU(array, name=name))
    with replacing(path) as temporary:
        hdus.writeto(temporary)


def read_crop(path: str | Path, *, planes: bool = True) -> Frame:
    """Read what `write_crop` wrote; without `planes`, no ERR and WHT: they are None."""
    names = ("SCI", "EMPTY", "ERR", "WHT") if planes else ("SCI", "EMPTY")
    with opened(path, planes=names, written_here=True) as hdus:
        read = {
            name: np.array(_plane(hdus, name, path), bool if name == "EMPTY" else np.float32)
            for name in names
            if name in hdus or name in ("SCI", "EMPTY")
        }
        primary = hdus[0].header.copy()
        wcs = read_wcs(hdus["SCI"].header, read["SCI"].shape, what=f"'{path}'")
    x0, y0, nx, ny = (primary.pop(key) for key in _GEOMETRY)
    for key in ("PIXSCALE", "PSFFWHM"):
        del primary[key]
    given = primary.pop("PSFGIVEN", None)
    return Frame(
        read["SCI"],
        read["EMPTY"],
        read.get("ERR"),
        read.get("WHT"),
        primary,
        wcs,
        origin=(y0, x0),
        frame_shape=(ny, nx),
        psf_arcsec=given,
    )


def _origin_cards(crop: Frame) -> fits.Header:
    """Cards of a primary header that say which image it is of, and where in it the crop begins."""
    primary = fits.Header()
    for key in ("IMAGE", "SIMULATD", "OBS_ID", "FILTER"):
        if key in crop.primary:
            primary.append(crop.primary.cards[key])
    geometry = geometry_cards(crop)
    primary.update({key: geometry[key] for key in ("CROPX0", "CROPY0")})
    return primary


### derivative images #############################################################################


def write_gradient(
    path: str | Path, gradients: Mapping[str, NDArray[np.float32]], crop: Frame
) -> None:
    """Write derivatives of a crop, (ny, nx) each, as extensions with the names of their domains."""
    header = pixel_cards(crop.wcs, crop.data.shape, crop)
    header["BUNIT"] = ("MJy/sr/pix", "rise along y")
    hdus = fits.HDUList([fits.PrimaryHDU(header=_origin_cards(crop))])
    for domain, gradient in gradients.items():
        hdus.append(fits.ImageHDU(gradient, header, name=domain))
    with replacing(path) as temporary:
        hdus.writeto(temporary)


def read_gradient(path: str | Path, domain: str) -> NDArray[np.float32]:
    """The derivative of a crop in a domain, (ny, nx), which `write_gradient` wrote."""
    with opened(path, planes=(domain.upper(),), written_here=True) as hdus:
        return np.array(_plane(hdus, domain, path), dtype=np.float32)


### masks ##########################################################################################


def write_mask(path: str | Path, mask: NDArray[np.bool_], crop: Frame, **made: object) -> None:
    """Write a mask as uint8 with the WCS of its crop; `made` become header keywords."""
    if not mask.any():
        _logger.warning(
            "%s: the mask %s marks no pixel", crop.primary.get("IMAGE", ""), made.get("method", "")
        )
    _write_mask(path, mask, pixel_cards(crop.wcs, mask.shape, crop), crop, made)


def write_whole_mask(
    path: str | Path, mask: NDArray[np.bool_] | NDArray[np.integer], crop: Frame, **made: object
) -> None:
    """Write a mask of a crop in the frame of the image it was cut from, 0 around the crop.

    Labels stand for the mask of where they are above 0.
    """
    _write_mask(path, *whole_frame(crop, mask), crop, made)


def _write_mask(
    path: str | Path,
    mask: NDArray[np.bool_] | NDArray[np.integer],
    header: fits.Header,
    crop: Frame,
    made: dict[str, object],
) -> None:
    primary = _origin_cards(crop)
    for key, value in made.items():
        if value is not None:
            primary[key.upper()] = value
    primary["NKEPT"] = (int(np.count_nonzero(mask)), "pixels in the mask")
    planes = {"MASK": lambda rows: mask[rows] > 0}
    write_in_strips(path, primary, header, mask.shape, planes, of=np.uint8(0))


def write_in_strips(
    path: str | Path,
    primary: fits.Header,
    header: fits.Header,
    shape: tuple[int, ...],
    planes: Mapping[str, Callable[[slice], NDArray]],
    *,
    of: np.uint8 | np.uint32,
) -> None:
    """Write PRIMARY and planes of the type `of`, each of which gives its rows; '.gz' is compressed.

    The file is the one that astropy writes, who makes two copies of a plane of unsigned integers.
    """
    stored = np.broadcast_to(of, shape)
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary)])
    hdus.extend(fits.ImageHDU(stored, header, name=name) for name in planes)
    hdus.update_extend()
    with replacing(path) as temporary, writing(temporary) as file:
        for hdu, rows_of in zip(hdus, [None, *planes.values()], strict=True):
            file.write(hdu.header.tostring().encode("ascii"))
            if rows_of is not None:
                for rows in strips(shape):
                    pixels = rows_of(rows)
                    if "BZERO" in hdu.header:  # FITS has no uint32
                        pixels = (pixels.astype(np.int64) - hdu.header["BZERO"]).astype(">i4")
                    file.write(pixels.tobytes())
                file.write(bytes(-file.tell() % 2880))


@contextmanager
def writing(path: Path) -> Iterator[Any]:
    """Open a file for its bytes; one named .gz is compressed, without a name or a time in it."""
    with path.open("wb") as file:
        if path.suffix != ".gz":
            yield file
            return
        with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
            yield packed


def read_mask(path: str | Path) -> tuple[NDArray[np.bool_], fits.Header]:
    """A mask that `write_mask` wrote, and its primary header."""
    with opened(path, written_here=True) as hdus:
        return _plane(hdus, "MASK", path) > 0, hdus[0].header


def _plane(hdus: fits.HDUList, name: str, path: str | Path) -> NDArray:
    """The pixels of an HDU of a file that a study wrote; DamagedFile where there is none."""
    if name not in hdus:
        why = f"it has no {name}"
        raise DamagedFile(f"'{path}': damaged, {why}; {DamagedFile.remedy}.", why)
    return hdus[name].data

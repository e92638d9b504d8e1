"""`mirimask project`: a mask on the pixels of other images, as masks or as a bit of their DQ."""

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import Any

from mirimask.atomic import replacing
from mirimask.command.inputs import at_hand
from mirimask.command.masks import mask_table, row_or_failure
from mirimask.command.outputs import OUTPUTS, Output, check_outputs, is_folder, placed
from mirimask.command.speech import Progress, Said
from mirimask.errors import MaskError

__all__ = ["run_project"]

_logger = logging.getLogger("mirimask")

_ORIGIN = ("SIMULATD", "METHOD", "DOMAIN", "PERCENT", "THRESH")  # of a mask that was written here


def run_project(options: argparse.Namespace, progress: Progress, said: Said) -> int:
    """Project the mask onto every image; the exit status is 1 where one of several failed."""
    kind = OUTPUTS["output"]
    if options.dq is not None:  # a copy of the exposure, by its own name in another folder
        kind = Output("-o", "an exposure is a FITS file", kind.suffixes, ".fits")
    images = options.onto
    files = [
        paths["output"] for paths in placed({"output": options.output}, images, {"output": kind})
    ]
    many = len(images) > 1
    check_outputs(
        [("-o", path) for path in files],
        [options.mask, *images],
        overwrite=options.overwrite,
        into_folder=many or is_folder(options.output),
    )
    from mirimask.image.own_files import read_marked

    rows = []
    with at_hand(options, said, mask=options.mask) as local:
        marked, wcs, its = read_marked(local.mask)
        origin = [its.cards[key] for key in _ORIGIN if key in its]
    if not marked.any():
        raise MaskError(f"mask '{options.mask}': marks no pixel; there is nothing to project.")
    for number, (image, path) in enumerate(zip(images, files, strict=True), start=1):
        progress.prefix = f"[{number}/{len(images)}] " if many else ""

        def made(image: str = image, path: str = path) -> dict[str, Any]:
            said.taken()
            with at_hand(options, said, image=image) as local, progress.step(f"projecting {image}"):
                row = projected(options, local.image, image, (marked, wcs, origin), path)
            return {**row, "warnings": said.taken()}

        rows.append(row_or_failure(made, image, said) if many else made())
    if options.json:
        print(json.dumps(rows if many else rows[0], indent=1))
    elif many:
        heads = {"image": "image", "area": "area % of all", "n_masked": "pixels", "wcs": "WCS"}
        print(mask_table([row | _area(row) for row in rows], heads))
    elif not options.quiet:
        (row,) = rows
        print(
            f"{row['n_masked']} pixels, {_area(row)['area']} % of all its pixels ({row['wcs']})",
            file=sys.stderr,
        )
    return 1 if any("error" in row for row in rows) else 0


def _area(row: dict[str, Any]) -> dict[str, str]:
    """The share of all pixels in per cent, as text; nothing of an image that failed."""
    return {"area": f"{100 * row['masked_share']:.2f}"} if "masked_share" in row else {}


def _as_its_values(hdu: Any) -> Any:
    """An HDU of a copy, whose pixels are stored as the values that they are read as.

    Compressed in tiles again, real numbers would be rounded again; whole numbers with a BLANK are
    read as real numbers, and astropy writes these below a header of whole ones.
    """
    from astropy.io import fits

    if not hdu.is_image or hdu.data is None:
        return hdu
    header = hdu.header.copy()
    if hdu.data.dtype.kind == "f":
        header.remove("BLANK", ignore_missing=True)
    kind = fits.PrimaryHDU if isinstance(hdu, fits.PrimaryHDU) else fits.ImageHDU
    return kind(hdu.data, header)


def projected(
    options: argparse.Namespace, local: str, image: str, given: tuple[Any, Any, Any], path: str
) -> dict[str, Any]:
    """Project the mask onto one image and write it; what is said of it.

    `given` are the pixels that it marks, its WCS, and cards that say where it comes from.
    """
    import numpy as np
    from astropy.io import fits

    from mirimask.export.projection import project_mask, sky_of
    from mirimask.image.files import writing
    from mirimask.image.own_files import science_of
    from mirimask.image.product import card_text, opened
    from mirimask.image.wcs import WCS_CARD, read_wcs, wcs_cards
    from mirimask.pipeline.gwcs import pipeline_sky

    marked, wcs, origin = given
    with opened(local) as hdus:
        science, shape = science_of(hdus, local)
        sky, kind = pipeline_sky(local), "GWCS"
        if sky is None:
            try:
                found = read_wcs(science.header, shape, what=f"'{image}'")
            except MaskError as error:
                raise MaskError(
                    f"{error} The pipeline's own WCS (GWCS) is read where the jwst package is "
                    "installed: pip install 'mirimask[jwst]'."
                ) from None
            sky, kind = sky_of(found), "FITS, SIP" if found.sip is not None else "FITS"
            resampled = hdus[0].header.get("S_RESAMP") == "COMPLETE"
            if "ASDF" in hdus and found.sip is None and not resampled:
                _logger.warning(
                    "'%s': its header has no distortion (SIP), and the pipeline's own WCS in it is "
                    "read only where the jwst package is installed (pip install 'mirimask[jwst]'): "
                    "the mask may be off by several pixels.",
                    image,
                )
        mask = project_mask(marked, wcs, sky, shape, cover=options.cover)
        if options.dq is not None:
            flags = hdus["DQ"].data if "DQ" in hdus else None
            if flags is None or flags.shape[-2:] != shape:
                raise MaskError(
                    f"'{image}': has no DQ of the shape of its SCI; without --dq a mask is written."
                )
            most = np.iinfo(flags.dtype).max.bit_length() if flags.dtype.kind in "iu" else 0
            if options.dq >= most:  # a sign is no bit
                has = f"bits 0 to {most - 1}" if most else "no bits"
                raise MaskError(
                    f"'{image}': its DQ of {flags.dtype.name} has {has}, and --dq is "
                    f"{options.dq}; give one that it has, or leave --dq out: a mask is written."
                )
            flags[..., mask] |= flags.dtype.type(1 << options.dq)
            hdus[0].header["FILENAME"] = card_text(Path(path).name)
            made = fits.HDUList([_as_its_values(hdu) for hdu in hdus])
            for hdu in made:
                if "CHECKSUM" in hdu.header:
                    hdu.add_checksum()
                elif "DATASUM" in hdu.header:
                    hdu.add_datasum()
        else:
            header = fits.Header(
                card for card in science.header.cards if WCS_CARD.fullmatch(card.keyword)
            )
            if science.header["NAXIS"] > 2:  # the mask has two axes
                header = wcs_cards(read_wcs(science.header, shape, what=f"'{image}'"), shape)
            primary = fits.PrimaryHDU()
            primary.header["IMAGE"] = card_text(Path(image).name)[:60]
            of = card_text(Path(options.mask).name)[:60]
            primary.header["MASKFILE"] = (of, "projected from it")
            primary.header.extend(origin)
            primary.header["NKEPT"] = (int(mask.sum()), "pixels in the mask")
            plane = fits.ImageHDU(mask.astype(np.uint8), header, name="MASK")
            made = fits.HDUList([primary, plane])
        with replacing(path) as temporary, writing(temporary) as file:
            made.writeto(file)
    if not mask.any():
        _logger.warning(
            "'%s': no marked pixel of the mask lies on it; are both of the same sky?", image
        )
    return {
        "image": image,
        "n_masked": int(mask.sum()),
        "masked_share": float(mask.mean()),
        "wcs": kind,
        "file": path,
    }

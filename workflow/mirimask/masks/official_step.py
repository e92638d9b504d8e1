"""The jwst pipeline's own `source_catalog` step on an image, without a network.

    python -I official_step.py image.npz labels.npz

is run by `mirimask.masks.programs.jwst_source_catalog` with the Python that has `jwst`, and imports
nothing of this library. image.npz has `data` (ny, nx; finite), `seen` (ny, nx; bool), `levels` (n:
snr_threshold) and `options` (JSON: other arguments of the step); labels.npz gets `labels` (n, ny,
nx), 0 = background. The sky position, aperture corrections and magnitudes that the step wants are
made up: they have no part in the detection.
"""

import json
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["image_model", "labels_at", "references"]


def image_model(data: np.ndarray, seen: np.ndarray) -> Any:
    """An ImageModel of MIRI F770W with unit errors; pixels that were not seen have no weight."""
    from astropy import units as u
    from astropy.coordinates import ICRS
    from astropy.modeling import models
    from gwcs import WCS
    from gwcs import coordinate_frames as frames
    from stdatamodels.jwst import datamodels

    scale = 0.11 / 3600
    model = datamodels.ImageModel(np.asarray(data, np.float32))
    model.err = np.where(seen, 1, np.nan).astype(np.float32)
    model.wht = np.asarray(seen, np.float32)
    ny, nx = data.shape
    transform = (
        models.Shift(-nx / 2) & models.Shift(-ny / 2)
        | models.Scale(-scale) & models.Scale(scale)
        | models.Pix2Sky_TAN()
        | models.RotateNative2Celestial(0, 0, 180)
    )
    detector = frames.Frame2D(name="detector", unit=(u.pix, u.pix))
    sky = frames.CelestialFrame(reference_frame=ICRS(), name="world", unit=(u.deg, u.deg))
    model.meta.wcs = WCS([(detector, transform), (sky, None)])
    model.meta.wcs.array_shape = data.shape
    info = model.meta.wcsinfo
    info.crval1, info.crval2, info.crpix1, info.crpix2 = 0.0, 0.0, nx / 2 + 1, ny / 2 + 1
    info.cdelt1, info.cdelt2 = -scale, scale
    model.meta.instrument.name, model.meta.instrument.detector = "MIRI", "MIRIMAGE"
    model.meta.instrument.filter = "F770W"
    model.meta.subarray.name = "FULL"
    model.meta.exposure.type = "MIR_IMAGE"
    model.meta.observation.date, model.meta.observation.time = "2022-08-01", "00:00:00"
    model.meta.photometry.pixelarea_arcsecsq = 0.11**2
    model.meta.photometry.pixelarea_steradians = np.deg2rad(scale) ** 2
    model.meta.bunit_data = model.meta.bunit_err = "MJy/sr"
    model.meta.resample.pixel_scale_ratio = 1.0
    model.meta.filename = "image_i2d.fits"
    return model


def references(folder: Path) -> dict[str, str]:
    """Reference files for fluxes and colours, which the labels do not depend on."""
    from astropy.table import Table
    from stdatamodels.jwst import datamodels

    sizes = {30: 1.353, 50: 2.1, 70: 4.217}  # radii (px) that hold these percentages in F770W
    columns = {
        "filter": "S12",
        "subarray": "S15",
        **dict.fromkeys(("eefraction", "radius", "apcorr", "skyin", "skyout"), "<f4"),
    }
    rows = [
        (b"F770W", b"FULL", percent / 100, radius, 100 / percent, 6.0, 10.0)
        for percent, radius in sizes.items()
    ]
    table = np.array(rows, dtype=list(columns.items()))
    apcorr = datamodels.MirImgApcorrModel(apcorr_table=table)
    apcorr.meta.exposure.type = "MIR_IMAGE"
    offset = datamodels.ABVegaOffsetModel()
    offset.abvega_offset = Table({"filter": ["F770W"], "abvega_offset": [4.37]})
    found = {}
    for name, model, ending in (
        ("apcorr", apcorr, "fits"),
        ("abvegaoffset", offset, "asdf"),
    ):
        model.meta.description = model.meta.author = "not used for the detection"
        model.meta.pedigree, model.meta.useafter = "DUMMY", "2022-01-01T00:00:00"
        model.meta.instrument.name, model.meta.instrument.detector = "MIRI", "MIRIMAGE"
        model.meta.reftype = name
        path = folder / f"{name}.{ending}"
        model.save(str(path))
        found[f"override_{name}"] = str(path)
    return found


def labels_at(
    data: np.ndarray, seen: np.ndarray, level: float, *, folder: Path, options: dict[str, Any]
) -> np.ndarray:
    """Labels of the step at a threshold, (ny, nx) int32; 0 where it finds nothing."""
    from jwst.source_catalog import SourceCatalogStep

    for old in folder.glob("*segm.fits"):
        old.unlink()
    SourceCatalogStep.call(
        image_model(data, seen),
        snr_threshold=level,
        save_results=True,
        output_dir=str(folder),
        output_file="official",
        **options,
    )
    written = list(folder.glob("*segm.fits"))
    if not written:
        return np.zeros(data.shape, np.int32)
    from astropy.io import fits

    return fits.getdata(written[0], "SCI").astype(np.int32)


def main(image: str, labels: str) -> None:
    """Read an image and its levels, write the labels at each."""
    given = np.load(image)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["STPIPE_DISABLE_CRDS_STEPPARS"] = "true"
        os.environ["CRDS_PATH"] = name  # nothing is asked of the calibration server
        os.environ["CRDS_SERVER_URL"] = "http://127.0.0.1:9"
        logging.disable(logging.INFO)
        options = {**references(folder), **json.loads(str(given["options"]))}
        found = [
            labels_at(given["data"], given["seen"], float(level), folder=folder, options=options)
            for level in given["levels"]
        ]
    np.savez(labels, labels=np.array(found, np.int32))


if __name__ == "__main__":
    main(*sys.argv[1:])

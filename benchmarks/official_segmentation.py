"""The official jwst `source_catalog` step beside `mirimask.masks.segmentation`, on the same images.

    pip install --requirement envs/requirements-jwst.in     # 858 MB, in an environment of its own
    PYTHONPATH=workflow python benchmarks/official_segmentation.py \\
        --apcorr <APCORR reference file of the MIRI imager> results/simulated/archive/*/i2d.fits

prints labels, mask agreement and seconds of both, with and without deblending. The step runs
without a network: reference files are given, none is asked for.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))


def official_labels(
    i2d: Path, apcorr: Path, *, settings: object, folder: Path
) -> tuple[NDArray[np.uint32], float]:
    """Label image of the jwst step for an i2d file (SCI, ERR, WHT), and its seconds.

    `apcorr`: an APCORR reference file; `settings`: a SegmentationSettings. The step writes into
    `folder`. No sources: all 0.
    """
    os.environ["STPIPE_DISABLE_CRDS_STEPPARS"] = "true"
    os.environ.setdefault("CRDS_PATH", str(folder))
    from astropy import units as u
    from astropy.coordinates import ICRS
    from astropy.modeling import models
    from astropy.table import Table
    from gwcs import WCS as GWCS
    from gwcs import coordinate_frames as frames
    from jwst.source_catalog import SourceCatalogStep
    from stdatamodels.jwst import datamodels

    with fits.open(i2d) as hdus:
        primary, header = hdus[0].header, hdus["SCI"].header
        data, error, weight = (hdus[name].data.astype(np.float32) for name in ("SCI", "ERR", "WHT"))
    model = datamodels.ImageModel(data)
    model.err, model.wht = error, weight
    matrix = np.array(
        [[header[f"PC{i}_{j}"] * header[f"CDELT{i}"] for j in (1, 2)] for i in (1, 2)]
    )
    transform = (
        models.Shift(1 - header["CRPIX1"]) & models.Shift(1 - header["CRPIX2"])
        | models.AffineTransformation2D(matrix)
        | models.Pix2Sky_TAN()
        | models.RotateNative2Celestial(header["CRVAL1"], header["CRVAL2"], 180)
    )
    detector = frames.Frame2D(name="detector", unit=(u.pix, u.pix))
    sky = frames.CelestialFrame(reference_frame=ICRS(), name="world", unit=(u.deg, u.deg))
    model.meta.wcs = GWCS([(detector, transform), (sky, None)])
    model.meta.wcs.array_shape = data.shape
    for key in ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CDELT1", "CDELT2"):
        setattr(model.meta.wcsinfo, key.lower(), header[key])
    model.meta.instrument.name, model.meta.instrument.detector = "MIRI", "MIRIMAGE"
    model.meta.instrument.filter = primary["FILTER"]
    model.meta.subarray.name = "FULL"
    model.meta.exposure.type = "MIR_IMAGE"
    model.meta.observation.date = primary["DATE-OBS"]
    model.meta.observation.time = primary.get("TIME-OBS", "00:00:00")
    model.meta.photometry.pixelarea_steradians = header["PIXAR_SR"]
    model.meta.photometry.pixelarea_arcsecsq = header["PIXAR_A2"]
    model.meta.bunit_data = model.meta.bunit_err = "MJy/sr"
    model.meta.resample.pixel_scale_ratio = 1.0
    model.meta.filename = i2d.name

    offset = folder / "abvegaoffset.asdf"
    table = {"filter": [primary["FILTER"]], "abvega_offset": [4.37]}
    reference = datamodels.ABVegaOffsetModel()
    reference.abvega_offset = Table(table)
    reference.meta.description = reference.meta.author = "magnitudes only; not used here"
    reference.meta.pedigree, reference.meta.useafter = "DUMMY", "2022-01-01T00:00:00"
    reference.meta.instrument.name, reference.meta.instrument.detector = "MIRI", "MIRIMAGE"
    reference.meta.reftype = "abvegaoffset"
    reference.save(str(offset))
    start = time.perf_counter()
    SourceCatalogStep.call(
        model,
        override_apcorr=str(apcorr),
        override_abvegaoffset=str(offset),
        bkg_boxsize=settings.box_px,
        kernel_fwhm=settings.kernel_fwhm_px,
        snr_threshold=settings.snr,
        npixels=settings.n_pixels,
        deblend=settings.deblend,
        save_results=True,
        output_dir=str(folder),
        output_file="official",
    )
    seconds = time.perf_counter() - start
    written = sorted(folder.glob("*segm.fits"))
    if not written:
        return np.zeros(data.shape, np.uint32), seconds
    labels = fits.getdata(written[-1], "SCI").astype(np.uint32)
    return labels, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--apcorr", type=Path, required=True, help="APCORR reference file")
    parser.add_argument("i2d", type=Path, nargs="+")
    options = parser.parse_args()
    from mirimask.masks.segmentation import SegmentationSettings, segment

    print("image     deblend  labels: official, ours  pixels that differ  seconds: official, ours")
    for path in options.i2d:
        for deblend in (False, True):
            settings = replace(SegmentationSettings.for_jwst("1.12.5"), deblend=deblend)
            with tempfile.TemporaryDirectory() as folder:
                official, seconds = official_labels(
                    path, options.apcorr, settings=settings, folder=Path(folder)
                )
            with fits.open(path) as hdus:
                data, error, weight = (hdus[name].data for name in ("SCI", "ERR", "WHT"))
            start = time.perf_counter()
            ours = segment(data, error=error, weight=weight, settings=settings)
            own = time.perf_counter() - start
            differ = int(((official > 0) != (ours > 0)).sum())
            print(
                f"{path.parent.name:9s} {deblend!s:7s}  {official.max():8d} {ours.max():8d}"
                f"  {differ:8d} of {int((official > 0).sum())}  {seconds:8.2f} {own:8.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()

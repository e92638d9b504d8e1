"""What tests/pipeline runs with the Python that has `jwst`: exposures as the pipeline has them.

    python steps.py exposures FOLDER      # FOLDER/*_sip.fits and mapping.npz become *_cal.fits
    python steps.py image3 FOLDER STEP    # calwebb_image3 on them, the class as STEP's post-hook

Nothing is asked of the calibration server: no parameters, reference files given by hand.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow"))

PRODUCT = "jw01386-o014_t004_miri_f770w"


def gwcs_of(x, y, mosaic_x, mosaic_y, header, shape):
    """The GWCS of an exposure: the simulation's distortion, then the plane of the mosaic."""
    from astropy import units as u
    from astropy.coordinates import ICRS
    from astropy.modeling import fitting, models
    from gwcs import WCS
    from gwcs import coordinate_frames as frames

    def fitted(degree, to, *at):
        plane = models.Polynomial2D(
            degree, x_domain=(at[0].min(), at[0].max()), y_domain=(at[1].min(), at[1].max())
        )
        return fitting.LinearLSQFitter()(plane, *at, to)

    both = models.Mapping((0, 1, 0, 1))
    distortion = both | fitted(3, mosaic_x, x, y) & fitted(3, mosaic_y, x, y)
    back = [fitted(6, to, mosaic_x, mosaic_y) for to in (x, y)]
    distortion.inverse = both | back[0] & back[1]
    matrix = np.array([[header[f"CD{i}_{j}"] for j in (1, 2)] for i in (1, 2)])
    transform = (
        distortion
        | models.Shift(1 - header["CRPIX1"]) & models.Shift(1 - header["CRPIX2"])
        | models.AffineTransformation2D(matrix)
        | models.Pix2Sky_TAN()
        | models.RotateNative2Celestial(header["CRVAL1"], header["CRVAL2"], 180)
    )
    detector = frames.Frame2D(name="detector", unit=(u.pix, u.pix))
    sky = frames.CelestialFrame(reference_frame=ICRS(), name="world", unit=(u.deg, u.deg))
    wcs = WCS([(detector, transform), (sky, None)])
    wcs.array_shape, wcs.bounding_box = shape, ((-0.5, shape[1] - 0.5), (-0.5, shape[0] - 0.5))
    return wcs


def exposures(folder):
    """Write `_cal` files with a GWCS, and the association of them."""
    from astropy.io import fits
    from mirimask.masks.official_step import references
    from stdatamodels.jwst import datamodels

    mapping = np.load(folder / "mapping.npz")
    header = fits.Header.fromstring(str(mapping["header"]))
    members = []
    for number, path in enumerate(sorted(folder.glob("*_sip.fits"))):
        with fits.open(path) as hdus:
            model = datamodels.ImageModel(hdus["SCI"].data.astype(np.float32))
            model.err, model.dq = hdus["ERR"].data.astype(np.float32), hdus["DQ"].data
            cards = hdus["SCI"].header
        for name in ("var_poisson", "var_rnoise", "var_flat"):
            setattr(model, name, (model.err**2 / 3).astype(np.float32))
        shape = model.data.shape
        wcs = gwcs_of(
            mapping["x"], mapping["y"], *mapping["mosaic"][number], header=header, shape=shape
        )
        model.meta.wcs = wcs
        info = model.meta.wcsinfo
        for key in ("crval1", "crval2", "crpix1", "crpix2"):
            setattr(info, key, float(cards[key.upper()]))
        info.ctype1, info.ctype2, info.cunit1, info.cunit2 = "RA---TAN", "DEC--TAN", "deg", "deg"
        info.cdelt1, info.cdelt2, info.wcsaxes = -0.11 / 3600, 0.11 / 3600, 2
        info.pc1_1, info.pc1_2, info.pc2_1, info.pc2_2 = 1.0, 0.0, 0.0, 1.0
        info.ra_ref, info.dec_ref, info.roll_ref = header["CRVAL1"], header["CRVAL2"], 0.0
        info.v2_ref, info.v3_ref, info.vparity, info.v3yangle = -453.0, -374.0, -1, 0.0
        corners = wcs([0, 0, shape[1] - 1, shape[1] - 1], [0, shape[0] - 1, shape[0] - 1, 0])
        info.s_region = "POLYGON ICRS " + " ".join(
            f"{ra:.9f} {dec:.9f}" for ra, dec in zip(*corners, strict=True)
        )
        meta = model.meta
        meta.instrument.name, meta.instrument.detector = "MIRI", "MIRIMAGE"
        meta.instrument.filter, meta.subarray.name = "F770W", "FULL"
        meta.exposure.type, meta.exposure.exposure_time = "MIR_IMAGE", 100.0
        meta.exposure.measurement_time = meta.exposure.effective_exposure_time = 100.0
        meta.exposure.start_time, meta.exposure.end_time = 59000.0 + number, 59000.1 + number
        meta.observation.date, meta.observation.time = "2022-08-01", "00:00:00"
        meta.observation.obs_id = f"V0138601400{number}"
        meta.observation.program_number, meta.observation.observation_number = "01386", "014"
        meta.observation.exposure_number = str(number + 1)
        meta.photometry.pixelarea_arcsecsq = 0.11**2
        meta.photometry.pixelarea_steradians = float(np.deg2rad(0.11 / 3600) ** 2)
        meta.bunit_data = meta.bunit_err = "MJy/sr"
        meta.target.catalog_name = meta.target.proposer_name = "SIMULATED"
        name = path.name.replace("_sip", "_cal")
        meta.filename = name
        model.save(str(folder / name))
        members.append({"expname": name, "exptype": "science"})
    association = {
        "asn_type": "image3",
        "asn_rule": "DMS_Level3_Base",
        "asn_pool": "none",
        "asn_id": "o014",
        "program": "01386",
        "products": [{"name": PRODUCT, "members": members}],
    }
    (folder / "asn.json").write_text(json.dumps(association))
    references(folder)


def image3(folder, step):
    """Run the level-3 pipeline on the exposures, the mask as the post-hook of one of its steps."""
    import mirimask
    from jwst.pipeline import Image3Pipeline
    from mirimask.masks.official_step import references

    steps = {
        "tweakreg": {"skip": True},
        "skymatch": {"skip": True},
        "outlier_detection": {"skip": True},
        "source_catalog": references(folder),
    }
    steps.setdefault(step, {})["post_hooks"] = [mirimask.SourceMaskStep]
    Image3Pipeline.call(
        str(folder / "asn.json"), steps=steps, save_results=True, output_dir=str(folder / "out")
    )


if __name__ == "__main__":
    command, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    os.environ["STPIPE_DISABLE_CRDS_STEPPARS"] = "true"
    os.environ["CRDS_PATH"] = str(folder / "crds")
    os.environ["CRDS_SERVER_URL"] = "http://127.0.0.1:9"
    if command == "exposures":
        exposures(folder)
    else:
        image3(folder, sys.argv[3])

"""A simulated field in the archive's own form: i2d, segm, cat, a catalogue and truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.table import QTable
from astropy.time import Time
from astropy.wcs import WCS
from numpy.typing import NDArray

from mirimask.atomic import replacing, write_text
from mirimask.errors import MaskError
from mirimask.export.pipeline_catalogue import catalogue_of
from mirimask.image.instrument import PIXEL_SCALE_ARCSEC, light_radii_px
from mirimask.image.product import card_text, sha256
from mirimask.image.psf import Psf
from mirimask.image.wcs import pixel_to_sky
from mirimask.masks.segmentation import SegmentationSettings, segment
from mirimask.simulation.catalogue import simulated_catalogue
from mirimask.simulation.exposures import Mosaic, observe
from mirimask.simulation.sky import CROP, FRAME_SHAPE, Diffuse, draw_sources

__all__ = ["PIXAR_SR", "Simulated", "simulate", "write_simulated"]

PIXAR_SR = (PIXEL_SCALE_ARCSEC / 3600 * np.pi / 180) ** 2  # 2.84404e-13, as in real products
_SAYS_SO = "SIMULATED: made by this workflow from a known sky, not observed by JWST."
_MANIFEST = ["image", "product", "uri", "bytes", "sha256", "cal_ver", "crds_ctx", "retrieved"]


@dataclass(frozen=True)
class Simulated:
    """A simulated field: what the archive would give, and the truth behind it.

    `catalogue` is the pipeline's, `listed` the other mission's that the masks are scored with.
    """

    mosaic: Mosaic
    wcs: WCS
    primary: fits.Header
    science: fits.Header
    labels: NDArray[np.uint32]
    catalogue: QTable
    listed: QTable
    truth: QTable


def simulate(
    image: str,
    psf: Psf,
    *,
    field: Mapping[str, Any],
    detector: Mapping[str, Any],
    observation: Mapping[str, Any],
    segmentation: SegmentationSettings,
    jwst_version: str,
    box_deg: float,
    catalogue_name: str = "unwise",
) -> Simulated:
    """Simulate a field in the filter of `psf`, with the catalogue of that name.

    `field` and `detector`: settings as in config/simulated.yaml. `observation`: the columns of the
    paper's Table 1 (principal_investigator, observation_id, obs_date, effective_exposure_s,
    guide_star_id, guide_star_ra_deg, guide_star_dec_deg). `box_deg`: side of the catalogue's box.
    Everything random comes from `field["seed"]`. MaskError where a setting is impossible.
    """
    seed = int(field["seed"])
    wcs = _wcs(field, observation)
    sources = draw_sources(field, seed, PIXEL_SCALE_ARCSEC, filter_name=psf.filter)
    diffuse = Diffuse(field["background"], field["nebula"], seed)
    try:
        mosaic = observe(
            diffuse,
            sources,
            psf,
            field=field,
            detector=detector,
            exposure_s=float(observation["effective_exposure_s"]),
            pixar_sr=PIXAR_SR,
            seed=seed,
        )
        if not (mosaic.wht[CROP] > 0).any():
            raise MaskError("no pixel of the crop has data; see its dead_area and background.")
    except MaskError as error:
        raise MaskError(f"simulation.fields.{image}: {error}") from None
    listed, listed_id = simulated_catalogue(
        catalogue_name,
        sources,
        wcs,
        settings=field.get(catalogue_name, {}),
        box_deg=box_deg,
        pixel_scale_arcsec=PIXEL_SCALE_ARCSEC,
        seed=seed,
    )
    labels = segment(mosaic.sci, error=mosaic.err, weight=mosaic.wht, settings=segmentation)
    catalogue = catalogue_of(
        mosaic.sci,
        labels,
        wcs,
        PIXAR_SR,
        error=mosaic.err,
        weight=mosaic.wht,
        settings=segmentation,
        apertures_px=light_radii_px(psf.filter),
    )
    primary = _primary(image, psf.filter, field, observation, jwst_version)
    return Simulated(
        mosaic,
        wcs,
        primary,
        _science(wcs, primary, field, detector),
        labels,
        _said(catalogue, image),
        _said(listed, image),
        _said(_truth(sources, wcs, catalogue_name, listed_id), image),
    )


def _said(table: QTable, image: str) -> QTable:
    table.meta = {"SIMULATD": True, "IMAGE": image, "comments": [_SAYS_SO], **table.meta}
    return table


def _wcs(field: Mapping[str, Any], observation: Mapping[str, Any]) -> WCS:
    """Gnomonic WCS with CRVAL at the frame's centre, `offset_deg` from the guide star."""
    east, north = field["offset_deg"]
    dec = float(observation["guide_star_dec_deg"]) + north
    ra = (float(observation["guide_star_ra_deg"]) + east / np.cos(np.deg2rad(dec))) % 360
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [(FRAME_SHAPE[1] + 1) / 2, (FRAME_SHAPE[0] + 1) / 2]
    wcs.wcs.cdelt = [PIXEL_SCALE_ARCSEC / 3600] * 2
    roll = np.deg2rad(field["roll_deg"])
    wcs.wcs.pc = [[-np.cos(roll), np.sin(roll)], [np.sin(roll), np.cos(roll)]]
    wcs.wcs.radesys = "ICRS"
    wcs.array_shape = FRAME_SHAPE
    wcs.wcs.set()
    return wcs


def _truth(
    sources: QTable, wcs: WCS, catalogue_name: str, catalogue_id: NDArray[np.str_]
) -> QTable:
    """The sources of the frame and its surroundings, with what the catalogue made of them."""
    sky = pixel_to_sky(wcs, sources["x"], sources["y"])
    ra, dec = sky.ra.deg, sky.dec.deg
    truth = QTable()
    truth["id"] = np.array([f"S{k:05d}" for k in range(1, len(sources) + 1)], dtype="U6")
    truth["kind"] = sources["kind"]
    truth["x"] = np.asarray(sources["x"]) * u.pix
    truth["y"] = np.asarray(sources["y"]) * u.pix
    truth["ra"] = np.asarray(ra) * u.deg
    truth["dec"] = np.asarray(dec) * u.deg
    truth["flux"] = np.asarray(sources["flux_ujy"]) * u.uJy
    truth["ab_mag"] = np.asarray(sources["ab_mag"])
    truth["half_light_radius"] = np.asarray(sources["radius_px"]) * u.pix
    truth["sersic_n"] = np.asarray(sources["sersic_n"])
    truth["axis_ratio"] = np.asarray(sources["axis_ratio"])
    truth["position_angle"] = np.asarray(sources["angle_deg"]) * u.deg
    truth["w1_vega"] = np.asarray(sources["w1_vega"])
    truth["w2_vega"] = np.asarray(sources["w2_vega"])
    if catalogue_name in ("mipsgal", "seip"):
        truth["s24"] = np.asarray(sources["s24_ujy"]) * u.uJy
    truth[f"{catalogue_name}_id"] = catalogue_id
    return truth


def _primary(
    image: str,
    filter_name: str,
    field: Mapping[str, Any],
    observation: Mapping[str, Any],
    jwst_version: str,
) -> fits.Header:
    """Primary header with the sections and keywords of a real product."""
    obs_id = str(observation["observation_id"])
    program, number, visit = obs_id[1:6], obs_id[6:9], obs_id[9:12]
    exposures = int(field["exposures"])
    seconds = float(observation["effective_exposure_s"])
    start = Time(f"{observation['obs_date']}T06:00:00", scale="utc")
    end = start + seconds * u.s
    frame = 2.77504  # s, full array in FAST mode
    groups = max(round(seconds / exposures / frame), 2)
    name = f"jw{program}-o{number}_t001_miri_{filter_name.lower()}_i2d.fits"
    header = fits.Header()
    for card in (
        ("SIMULATD", True, "SIMULATED: not observed by JWST"),
        ("DATE", start.isot, "UTC date of simulated exposure"),
        ("ORIGIN", "SIMULATED", "Organization responsible for creating file"),
        ("TIMESYS", "UTC", "Principal time system for time-related keywords"),
        ("TIMEUNIT", "s", "Default unit applicable to all time values"),
        ("FILENAME", name, "Name of the file"),
        ("CAL_VER", jwst_version, "jwst version whose segmentation is followed"),
        ("DATAMODL", "ImageModel", "Type of data model"),
        ("TELESCOP", "JWST", "Telescope used to acquire the data"),
        "Program information",
        ("TITLE", f"SIMULATED field {image}", "Proposal title"),
        (
            "PI_NAME",
            card_text(observation["principal_investigator"]),
            "Principal investigator name",
        ),
        "Observation identifiers",
        ("DATE-OBS", str(observation["obs_date"]), "[yyyy-mm-dd] UTC date at start"),
        ("TIME-OBS", start.isot[11:], "[hh:mm:ss.sss] UTC time at start of exposure"),
        ("DATE-BEG", start.isot, "Date-time start of exposure"),
        ("DATE-END", end.isot, "Date-time end of exposure"),
        ("OBS_ID", obs_id, "Programmatic observation identifier"),
        ("VISIT_ID", program + number + visit, "Visit identifier"),
        ("PROGRAM", program, "Program number"),
        ("OBSERVTN", number, "Observation number"),
        ("VISIT", visit, "Visit number"),
        ("TEMPLATE", "MIRI Imaging", "Observation template used"),
        "Target information",
        ("TARGPROP", image, "Proposer's name for the target"),
        ("TARGTYPE", "FIXED", "Type of target (fixed, moving, generic)"),
        "Instrument configuration information",
        ("INSTRUME", "MIRI", "Instrument used to acquire the data"),
        ("DETECTOR", "MIRIMAGE", "Name of detector used to acquire the data"),
        ("FILTER", filter_name, "Name of the filter element used"),
        "Exposure parameters",
        ("EXP_TYPE", "MIR_IMAGE", "Type of data in the exposure"),
        ("EXPSTART", round(start.mjd, 8), "[d] exposure start time in MJD"),
        ("EXPMID", round((start.mjd + end.mjd) / 2, 8), "[d] exposure mid time in MJD"),
        ("EXPEND", round(end.mjd, 8), "[d] exposure end time in MJD"),
        ("READPATT", "FASTR1", "Readout pattern"),
        ("NINTS", 1, "Number of integrations in exposure"),
        ("NGROUPS", groups, "Number of groups in integration"),
        ("TFRAME", frame, "[s] Time between frames"),
        ("TGROUP", frame, "[s] Time between groups"),
        ("EFFEXPTM", seconds, "[s] Effective exposure time"),
        ("DURATION", seconds, "[s] Total duration of exposure"),
        "Subarray parameters",
        ("SUBARRAY", "FULL", "Subarray used"),
        "Dither information",
        ("PATTTYPE", f"{exposures}-POINT", "Primary dither pattern type"),
        ("NUMDTHPT", exposures, "Total number of points in pattern"),
        "Guide star information",
        ("GDSTARID", card_text(observation["guide_star_id"]), "Guide star identifier"),
        ("GS_RA", float(observation["guide_star_ra_deg"]), "Guide star right ascension"),
        ("GS_DEC", float(observation["guide_star_dec_deg"]), "Guide star declination"),
        "Reference file information",
        ("CRDS_CTX", "N/A", "CRDS context: no reference file used"),
        "Calibration step information",
        ("S_RESAMP", "COMPLETE", "Image resampling"),
        "Resample Parameters",
        ("NDRIZ", exposures, "Number of pointings in resampled product"),
        ("TEXPTIME", seconds, "[s] Total exposure time for product"),
        ("RESWHT", "ivm", "Type of drizzle weighting in resampling"),
        ("PIXFRAC", 1.0, "Drizzle parameter describing pixel shrinking"),
        ("PXSCLRT", 1.0, "Pixel scale ratio to native detector scale"),
        "Simulation",
        ("SIMSEED", int(field["seed"]), "Seed of the simulated field"),
    ):
        if isinstance(card, str):
            for text in ("", card, ""):
                header.append(("", text), end=True)
        else:
            header.append(card, end=True)
    header.add_history(_SAYS_SO)
    return header


def _science(
    wcs: WCS, primary: fits.Header, field: Mapping[str, Any], detector: Mapping[str, Any]
) -> fits.Header:
    """Header of SCI: times, photometry, WCS."""
    header = fits.Header()
    photmjsr = float(detector["photmjsr"])
    for card in (
        ("MJD-BEG", primary["EXPSTART"], "[d] exposure start time in MJD"),
        ("MJD-AVG", primary["EXPMID"], "[d] exposure mid-point in MJD"),
        ("MJD-END", primary["EXPEND"], "[d] exposure end time in MJD"),
        ("XPOSURE", primary["EFFEXPTM"], "[s] Effective exposure time"),
        ("TELAPSE", primary["EFFEXPTM"], "[s] Total elapsed exposure time"),
        ("PA_APER", float(field["roll_deg"]), "[deg] Position angle of aperture used"),
        ("BUNIT", "MJy/sr", "physical units of the array values"),
        ("PHOTMJSR", photmjsr, "Flux density (MJy/steradian) producing 1 cps"),
        ("PHOTUJA2", photmjsr * 23.50443, "Flux density (uJy/arcsec2) producing 1 cps"),
        ("PIXAR_SR", PIXAR_SR, "Nominal pixel area in steradians"),
        ("PIXAR_A2", PIXEL_SCALE_ARCSEC**2, "Nominal pixel area in arcsec^2"),
    ):
        header.append(card, end=True)
    positions = wcs.to_header(relax=False)
    for key in ("PC1_1", "PC1_2", "PC2_1", "PC2_2"):  # astropy leaves out those of a unit matrix
        if key not in positions:
            positions[key] = float(key in ("PC1_1", "PC2_2"))
    for key in ("LATPOLE", "LONPOLE", "MJDREF"):
        positions.remove(key, ignore_missing=True)
    header.extend(positions)
    corners = wcs.calc_footprint(axes=FRAME_SHAPE[::-1])
    header["S_REGION"] = "POLYGON ICRS " + " ".join(f"{ra:.9f} {dec:.9f}" for ra, dec in corners)
    return header


def write_simulated(
    simulated: Simulated, image: str, paths: Mapping[str, str | Path], *, empty: float = 0.0
) -> None:
    """Write a simulated field's files.

    `paths`: i2d, segm, cat, catalogue, truth (of the sources), light (the planes LIGHT and SKY
    behind the image, MJy/sr, 0 where it is empty) and manifest. `empty`: the value of empty pixels
    in the i2d's SCI, 0 (products up to jwst 1.14) or NaN (later ones); ERR and variances are NaN
    there, WHT and CON 0.
    """
    if not (empty == 0 or np.isnan(empty)):
        raise MaskError(f"simulation: empty pixels are filled with 0 or nan, not {empty}.")
    mosaic = simulated.mosaic
    science = np.where(mosaic.wht > 0, mosaic.sci, np.float32(empty))
    hdus = fits.HDUList(
        [
            fits.PrimaryHDU(header=simulated.primary),
            fits.ImageHDU(science, header=simulated.science, name="SCI"),
            _image(mosaic.err, "ERR", unit="MJy/sr"),
            _image(mosaic.con, "CON"),
            _image(mosaic.wht, "WHT"),
            _image(mosaic.var_poisson, "VAR_POISSON"),
            _image(mosaic.var_rnoise, "VAR_RNOISE"),
            _image(mosaic.var_flat, "VAR_FLAT"),
        ]
    )
    with replacing(paths["i2d"]) as temporary:
        hdus.writeto(temporary)
    primary = simulated.primary.copy()
    primary["FILENAME"] = str(primary["FILENAME"]).replace("_i2d", "_segm")
    primary["DATAMODL"] = "SegmentationMapModel"
    header = simulated.wcs.to_header(relax=False)
    segm = fits.HDUList(
        [
            fits.PrimaryHDU(header=primary),
            fits.ImageHDU(simulated.labels.astype(np.uint32), header=header, name="SCI"),
        ]
    )
    with replacing(paths["segm"]) as temporary:
        segm.writeto(temporary)
    for product, table in (
        ("cat", simulated.catalogue),
        ("catalogue", simulated.listed),
        ("truth", simulated.truth),
    ):
        with replacing(paths[product]) as temporary:
            table.write(temporary, format="ascii.ecsv")
    planes = fits.HDUList(
        [
            fits.PrimaryHDU(header=simulated.primary),
            fits.ImageHDU(mosaic.light, header=simulated.science, name="LIGHT"),
            fits.ImageHDU(mosaic.sky, header=simulated.science, name="SKY"),
        ]
    )
    with replacing(paths["light"]) as temporary:
        planes.writeto(temporary)
    lines = ["\t".join(_MANIFEST)]
    for product in ("i2d", "segm", "cat", "catalogue"):
        path = Path(paths[product])
        name = path.stem if product == "catalogue" else product
        lines.append(
            "\t".join(
                [
                    image,
                    name,
                    f"simulated:{image}",
                    str(path.stat().st_size),
                    sha256(path),
                    str(simulated.primary["CAL_VER"]),
                    str(simulated.primary["CRDS_CTX"]),
                    "",
                ]
            )
        )
    write_text(paths["manifest"], "\n".join(lines) + "\n")


def _image(data: NDArray, name: str, unit: str | None = None) -> fits.ImageHDU:
    hdu = fits.ImageHDU(data, name=name)
    if unit:
        hdu.header["BUNIT"] = (unit, "physical units of the array values")
    return hdu

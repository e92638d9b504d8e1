"""Print how close the simulated fields come to the paper's numbers and to real data.

    python workflow/scripts/validate_simulation.py --configfile config/simulated.yaml \\
        --real ../shared/real

needs the simulated archive (rule simulated_archive). Writes validation/checks.csv and
validation/*.png into the study's results; without the folder of real data only Table 2 is compared.
Exit status 1 where a bar is missed.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd
import yaml
from astropy.io import fits
from astropy.table import Table
from mirimask.atomic import replacing
from mirimask.figures.simulation import psf_figure, sky_figure
from mirimask.image.files import read_frame
from mirimask.image.instrument import PIXEL_SCALE_ARCSEC
from mirimask.image.psf import encircled_energy, read_psf
from mirimask.image.statistics import describe
from mirimask.image.wcs import sky_to_pixel
from mirimask.simulation.checks import (
    UNWISE_IN_CROP,
    autocorrelation,
    autocorrelation_checks,
    catalogue_check,
    depth_ab,
    psf_checks,
    residual_noise,
    statistics_checks,
    without_background,
)
from mirimask.simulation.exposures import observe
from mirimask.simulation.field import PIXAR_SR
from mirimask.simulation.sky import CROP, Diffuse, draw_sources
from mirimask.table_files import read_table
from snakemake.utils import validate

REAL_SCALE = 0.08  # arcsec, of the real mosaic
REAL_UNIT = 0.0665  # MJy/sr of its 10 nJy per pixel
GRID_PIXEL = 0.11091 / 4  # arcsec, of the STPSF grid (its header: FOV / pixels)
LIKE_REAL = "Img5"  # high latitude, no nebula: the field beside the real sky
LIKE_REAL_S = 1640  # exposure that gives the noise of the real mosaic


def table2_checks(archive, published, share):
    checks, depths = [], {}
    for (image, row), wanted in zip(published.iterrows(), UNWISE_IN_CROP, strict=True):
        frame = read_frame(archive / image / "i2d.fits")
        crop, empty = frame.data[CROP], frame.empty[CROP]
        checks += statistics_checks(image, describe(crop), row)
        catalogue = Table.read(archive / image / "unwise.ecsv")
        x, y = sky_to_pixel(frame.wcs, catalogue["RAJ2000"], catalogue["DEJ2000"])
        rows, columns = CROP
        inside = (x >= columns.start - 0.5) & (x < columns.stop - 0.5)
        inside &= (y >= rows.start - 0.5) & (y < rows.stop - 0.5)
        checks.append(catalogue_check(image, int(inside.sum()), wanted))
        depths[image] = depth_ab(
            residual_noise(crop, empty), PIXAR_SR, PIXEL_SCALE_ARCSEC, share=share
        )
    return checks, depths


def at_real_scale(config, psf, shape):
    """The field LIKE_REAL resampled to the real mosaic's pixels, and the region that it shows."""
    simulation = config["simulation"]
    field = simulation["fields"][LIKE_REAL]
    scale = REAL_SCALE / PIXEL_SCALE_ARCSEC
    mosaic = observe(
        Diffuse(field["background"], field["nebula"], field["seed"]),
        draw_sources(field, field["seed"], PIXEL_SCALE_ARCSEC),
        psf,
        field=field,
        detector=simulation["detector"],
        exposure_s=LIKE_REAL_S,
        pixar_sr=PIXAR_SR,
        seed=field["seed"],
        shape=tuple(int(n / scale) for n in (1028, 1032)),
        scale=scale,
    )
    y0, x0 = (int(n / scale) for n in (480, 640))
    return mosaic.sci[y0 : y0 + shape[0], x0 : x0 + shape[1]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--configfile", type=Path, default=Path("config/simulated.yaml"))
    parser.add_argument("--published", type=Path, default=Path("config/published"))
    parser.add_argument("--real", type=Path, help="folder of real data; without it Table 2 only")
    options = parser.parse_args()
    config = yaml.safe_load(options.configfile.read_text())
    schemas = Path(__file__).resolve().parents[1] / "schemas"
    validate(config, schemas / "config.schema.yaml")
    results = Path("results") / config["study"]
    out = results / "validation"
    published = read_table(options.published / "table2.csv").set_index("code")

    psf = read_psf(results / "simulation" / "psf_F770W.fits")
    (share,) = encircled_energy(psf.data, psf.pixel_scale_arcsec / psf.oversample, (0.3,), 20)
    checks, depths = table2_checks(results / "archive", published, share)
    if options.real and options.real.is_dir():
        grid = fits.getdata(options.real / "psf" / "stpsf_F770W_9pos_os4_292px.fits").astype(float)
        checks += psf_checks(psf, grid, GRID_PIXEL)
        images = options.real / "images"
        real = REAL_UNIT * fits.getdata(images / "mophongo_uds1_f770w_80mas_sci.fits").astype(float)
        no_data = fits.getdata(images / "mophongo_uds1_f770w_80mas_wht.fits") == 0
        patch = at_real_scale(config, psf, real.shape)
        flat, hidden = without_background(patch, np.isnan(patch))
        real_flat, real_hidden = without_background(real, no_data)
        noise, real_noise = np.where(hidden, np.nan, flat), np.where(real_hidden, np.nan, real_flat)
        checks += autocorrelation_checks(noise, real_noise)
        with replacing(out / "psf.png") as temporary:
            psf_figure(psf, grid[4], GRID_PIXEL, temporary)
        with replacing(out / "sky.png") as temporary:
            sky_figure(flat, np.where(no_data, np.nan, real_flat), REAL_SCALE, temporary)
        area = PIXAR_SR * (REAL_SCALE / PIXEL_SCALE_ARCSEC) ** 2
        for name, image in (("SIMULATED", noise), ("real", real_noise)):
            depth = depth_ab(image, area, REAL_SCALE, share=share)
            print(
                f"{name} at {REAL_SCALE} arcsec/px: rms {np.nanstd(image):.4f} MJy/sr, "
                f"depth {depth:.2f} AB (5 sigma, r 0.3 arcsec)"
            )
        with fits.open(results / "archive" / LIKE_REAL / "i2d.fits") as hdus:
            own = residual_noise(hdus["SCI"].data[CROP], hdus["WHT"].data[CROP] == 0)
        lags = ", ".join(f"{value:.3f}" for value in autocorrelation(own, (1, 2, 3)))
        print(f"autocorrelation of {LIKE_REAL} at its own 0.11 arcsec, lags 1, 2, 3 px: {lags}")
    else:
        print("no folder of real data (--real): the PSF and the noise are not compared")
    print(
        "depth of each field (AB, 5 sigma, r 0.3 arcsec): "
        + ", ".join(f"{image} {depth:.2f}" for image, depth in depths.items())
    )

    table = pd.DataFrame(checks)
    with replacing(out / "checks.csv") as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")
    shown = table.assign(passed=table["passed"].map({True: "pass", False: "FAIL", None: "-"}))
    print(shown.to_string(index=False, float_format=lambda value: f"{value:.5g}"))
    failed = int((table["passed"] == False).sum())  # noqa: E712 (None is no failure)
    print(
        f"SIMULATED: {int((table['passed'] == True).sum())} bars reached, {failed} missed; "  # noqa: E712
        f"written to {out}/"
    )
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

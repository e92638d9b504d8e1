"""Print how close the simulated fields come to the paper's numbers and to real data.

    python workflow/scripts/validate_simulation.py --configfile config/simulated.yaml \\
        --real ../shared/real

needs the simulated archive (rule simulated_archive) and Table 3 of the study. That is one draw of
the fields that were chosen on the printed table: its bars are judged on the mean over fields of
other seeds, whose cells --cells names (benchmarks/printed_table.py writes them). Writes
validation/checks.csv and validation/*.png into the study's results; without the folder of real
data only the paper's tables are compared. Exit status 1 where a bar is missed.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pandas as pd
import yaml
from astropy.io import fits
from astropy.table import Table
from mirimask.atomic import replacing
from mirimask.figures.simulation import psf_figure, sky_figure
from mirimask.image.files import read_frame
from mirimask.image.psf import encircled_energy, read_psf
from mirimask.simulation.checks import (
    UNWISE_IN_CROP,
    autocorrelation,
    psf_checks,
    residual_noise,
    table3_checks,
)
from mirimask.simulation.sky import CROP
from mirimask.simulation.validation import REAL_SCALE, beside_mosaic, crop_checks, field_depth
from mirimask.table_files import read_table, write_csv
from snakemake.utils import validate

REAL_UNIT = 0.0665  # MJy/sr of the real mosaic's 10 nJy per pixel
GRID_PIXEL = 0.11091 / 4  # arcsec, of the STPSF grid (its header: FOV / pixels)
LIKE_REAL = "Img5"  # high latitude, no nebula: the field beside the real sky


def beside_real(folder, psf, share, simulation, out):
    """Checks against the real PSF and mosaic, with their figures."""
    grid = fits.getdata(folder / "psf" / "stpsf_F770W_9pos_os4_292px.fits").astype(float)
    images = folder / "images"
    beside = beside_mosaic(
        REAL_UNIT * fits.getdata(images / "mophongo_uds1_f770w_80mas_sci.fits").astype(float),
        fits.getdata(images / "mophongo_uds1_f770w_80mas_wht.fits") == 0,
        psf,
        field=simulation["fields"][LIKE_REAL],
        detector=simulation["detector"],
    )
    with replacing(out / "psf.png") as temporary:
        psf_figure(psf, grid[4], GRID_PIXEL, temporary)
    with replacing(out / "sky.png") as temporary:
        sky_figure(beside.simulated, beside.real, REAL_SCALE, temporary)
    print(*beside.summary(share=share), sep="\n")
    return [*psf_checks(psf, grid, GRID_PIXEL), *beside.checks()]


def against_table3(results, cells, published):
    """Checks of Table 3, published domain and scorer `peaks`: the study's, and the mean of `cells`.

    The study's are without a bar: its fields were chosen on the printed table.
    """
    printed = read_table(published / "table3.csv").rename(columns={"code": "image"})
    variants = read_table(results / "tables" / "table3_variants.csv")
    own = variants.query("domain == 'published' and scorer == 'peaks'")
    checks = [
        dataclasses.replace(check, bar="none: one draw, chosen on it", passed=None)
        for check in table3_checks(own, printed)
    ]
    if cells is not None:
        fresh = read_table(cells)
        mean = fresh.groupby(["image", "method"], as_index=False).mean(numeric_only=True)
        named = f"Table 3, mean of {fresh['seed'].nunique()} seeds"
        checks += [
            dataclasses.replace(check, subject=named) for check in table3_checks(mean, printed)
        ]
    return checks


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--configfile", type=Path, default=Path("config/simulated.yaml"))
    parser.add_argument("--published", type=Path, default=Path("config/published"))
    parser.add_argument("--real", type=Path, help="folder of real data; without it Table 2 only")
    parser.add_argument("--cells", type=Path, help="Table 3 on fields of other seeds")
    options = parser.parse_args()
    config = yaml.safe_load(options.configfile.read_text())
    schemas = Path(__file__).resolve().parents[1] / "schemas"
    validate(config, schemas / "config.schema.yaml")
    results = Path("results") / config["study"]
    psf = read_psf(results / "simulation" / "psf_F770W.fits")
    (share,) = encircled_energy(psf.data, psf.pixel_scale_arcsec / psf.oversample, (0.3,), 20)
    published = read_table(options.published / "table2.csv").set_index("code")

    checks, noise = [], {}
    for (image, row), sources in zip(published.iterrows(), UNWISE_IN_CROP, strict=True):
        frame = read_frame(results / "archive" / image / "i2d.fits")
        catalogue = Table.read(results / "archive" / image / "unwise.ecsv")
        checks += crop_checks(image, frame, catalogue, row, sources=sources)
        noise[image] = residual_noise(frame.data[CROP], frame.empty[CROP])
    checks += against_table3(results, options.cells, options.published)
    if options.real and options.real.is_dir():
        checks += beside_real(
            options.real, psf, share, config["simulation"], results / "validation"
        )
        lags = ", ".join(f"{value:.3f}" for value in autocorrelation(noise[LIKE_REAL], (1, 2, 3)))
        print(f"autocorrelation of {LIKE_REAL} at its own 0.11 arcsec, lags 1, 2, 3 px: {lags}")
    else:
        print("no folder of real data (--real): the PSF and the noise are not compared")
    depths = (f"{image} {field_depth(one, share=share):.2f}" for image, one in noise.items())
    print("depth of each field (AB, 5 sigma, r 0.3 arcsec): " + ", ".join(depths))

    table = pd.DataFrame(checks)
    write_csv(results / "validation" / "checks.csv", table)
    passed = table["passed"].map({True: "pass", False: "FAIL", None: "-"})
    print(table.assign(passed=passed).to_string(index=False, float_format=lambda v: f"{v:.5g}"))
    failed = int((passed == "FAIL").sum())
    print(
        f"SIMULATED: {int((passed == 'pass').sum())} bars reached, {failed} missed; "
        f"written to {results / 'validation'}/"
    )
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

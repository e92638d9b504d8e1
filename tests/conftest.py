"""Small images and whole studies for the tests."""

import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT.parent / "shared" / "real"

# An evaluation that runs through all its parts in seconds: few stars, positions and draws.
QUICK = {
    "positions": 200,
    "bootstrap": 100,
    "stars": 20,
    "magnitudes": [22, 23, 24, 25, 26],
    "realisations": 1,
    "depth_draws": 20,
    "sensitivity": {"segmentations": [{"n_pixels": 5}]},
}


@pytest.fixture(scope="session")
def real():
    """The folder of real JWST data beside the checkout."""
    if not REAL.is_dir():
        pytest.skip("no real data: the folder ../shared/real is not there")
    return REAL


def make_image(folder, code, *, seed, shape=(150, 140), n_stars=9):
    """Write a small i2d with stars and a catalogue of them; returns a row of the image table."""
    rng = np.random.default_rng(seed)
    data = gaussian_filter(rng.normal(0, 0.3, shape), 0.6) + 6
    x, y = rng.uniform(10, shape[1] - 10, n_stars), rng.uniform(10, shape[0] - 10, n_stars)
    points = np.zeros(shape)
    points[y.round().astype(int), x.round().astype(int)] = rng.uniform(5, 60, n_stars)
    data = (data + gaussian_filter(points, 1.04)).astype(np.float32)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [80.0 + seed, -20.0], [shape[1] / 2, shape[0] / 2]
    wcs.wcs.cdelt = [-0.11 / 3600, 0.11 / 3600]
    header = wcs.to_header()
    header["BUNIT"], header["PIXAR_SR"] = "MJy/sr", 2.844e-13
    primary = fits.Header({"OBS_ID": f"V{seed:025d}", "FILTER": "F770W", "CAL_VER": "1.12.5"})
    hdus = [
        fits.PrimaryHDU(header=primary),
        fits.ImageHDU(data, header, name="SCI"),
        fits.ImageHDU(np.full_like(data, 0.3), name="ERR"),
        fits.ImageHDU(np.ones_like(data), name="WHT"),
    ]
    fits.HDUList(hdus).writeto(folder / f"{code}_i2d.fits", overwrite=True)
    ra, dec = wcs.all_pix2world(x + rng.normal(0, 2, n_stars), y, 0)
    Table({"objID": [f"{code}-{i}" for i in range(n_stars)], "RAJ2000": ra, "DEJ2000": dec}).write(
        folder / f"{code}.ecsv", overwrite=True
    )
    return {"image": code, "i2d": f"{code}_i2d.fits", "catalogue": f"{code}.ecsv"}


class Study:
    """A copy of the workflow in a folder of its own, with a configuration that can be changed."""

    def __init__(self, folder):
        self.folder = folder
        for part in ("Snakefile", "workflow", "config", "envs", "profiles"):
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, folder / part)
        self.config = {
            "study": "small",
            "images": "images.tsv",
            "archive": {"source": "local"},
            "crop": None,
            "published": None,
            "evaluation": deepcopy(QUICK),
            "methods": ["value_1", "derivative_4.6", "segmentation"],
            "figures": {
                "figure3": {"methods": ["value_1", "derivative_4.6"]},
                "figure4": ["value_1", "derivative_4.6"],
                "figure5": ["value_1", "derivative_4.6"],
            },
        }
        self.images = []

    @property
    def results(self):
        return self.folder / "results" / self.config["study"]

    def write(self):
        columns = list(dict.fromkeys(key for row in self.images for key in row))
        lines = ["\t".join(columns)]
        lines += ["\t".join(str(row.get(key, "")) for key in columns) for row in self.images]
        (self.folder / "images.tsv").write_text("\n".join(lines) + "\n")
        (self.folder / "study.yaml").write_text(yaml.safe_dump(self.config))

    def run(self, *targets, options=(), cores=2, env=None, timeout=600):
        """Run Snakemake; returns the finished process with its output and errors as one text."""
        self.write()
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores)]
        return subprocess.run(
            [*command, "--configfile", "study.yaml", *options, "--", *targets],
            cwd=self.folder,
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )

    def planned(self, *targets):
        """The rules that a run would execute now, with the number of their jobs."""
        done = self.run(*targets, options=["--dry-run", "--quiet", "rules"])
        assert done.returncode == 0, done.stdout
        jobs = {}
        for line in done.stdout.partition("Job stats:")[2].splitlines()[3:]:
            if not line.strip() or line.startswith("total"):
                break
            rule, count = line.split()
            jobs[rule] = int(count)
        return jobs


@pytest.fixture
def study(tmp_path):
    """A study of two small local images, not run yet."""
    small = Study(tmp_path)
    small.images = [make_image(tmp_path, code, seed=i) for i, code in enumerate(["A", "B"])]
    return small

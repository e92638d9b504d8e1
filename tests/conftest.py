"""Small images and whole studies for the tests."""

import fcntl
import json
import os
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
SNAKEMAKE = (str(Path(sys.executable).parent / "snakemake"),)  # as users start it

# Table 3 counted with one other value of each setting.
ONE_OTHER = {
    "radii": ["20 px"],
    "snrs": [7],
    "smallest": [5],
    "segmentations": [{"n_pixels": 5}],
}
# An evaluation that runs through all its parts in seconds: few stars, positions and draws.
QUICK = {
    "positions": 200,
    "bootstrap": 100,
    "stars": 20,
    "magnitudes": [22, 23, 24, 25, 26],
    "realisations": 1,
    "depth_draws": 20,
    "sensitivity": ONE_OTHER,
}
# What runs a whole study begins first, so that no worker has a long file left at the end.
LONGEST_FIRST = [
    "workflow/test_studies",
    "real/test_own",
    "workflow",
    "archive",
    "unit/test_package",
]


def pytest_collection_modifyitems(items):
    """Whole studies first; the order within a file stays."""

    def place(item):
        name = item.path.relative_to(ROOT / "tests").as_posix()
        starts = (n for n, long in enumerate(LONGEST_FIRST) if name.startswith(long))
        return next(starts, len(LONGEST_FIRST))

    items.sort(key=place)


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
    unwise = {"objID": [f"{code}-{i}" for i in range(n_stars)], "RAJ2000": ra, "DEJ2000": dec}
    Table({**unwise, "FW1": np.ones(n_stars)}).write(folder / f"{code}.ecsv", overwrite=True)
    return {"image": code, "i2d": f"{code}_i2d.fits", "catalogue": f"{code}.ecsv"}


class Study:
    """A copy of the workflow in a folder of its own, with a configuration that can be changed.

    A folder in which there is a workflow is taken as it is.
    """

    def __init__(self, folder):
        self.folder = folder
        if not (folder / "workflow").exists():
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
            "simulation": {"psf": {"wavelengths": 1}},
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

    def run(self, *targets, options=(), cores=2, env=None, timeout=1800):
        """Run Snakemake; returns the finished process with its output and errors as one text."""
        self.write()
        command = [*SNAKEMAKE, "--cores", str(cores)]
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


# What would run in a page or lead out of its folder, where it is taken for more than a text.
SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(2)>'
UP = "../../../x"
HOSTILE = (SCRIPT, IMAGE, UP, "</script><script>alert(3)</script>", "{{ 7 * 7 }}", "javascript:1")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A study of two images that has run to its end, to be read; `again` is a copy to change.

    Header and catalogue of A are hostile; C is truncated and left out, and `said` is what the run
    said. All workers of a run share it: the first that asks for it makes it, the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, ended = base / "finished", base / "finished.json"
    with open(base / "finished.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ended.exists():
            folder.mkdir()
            study = Study(folder)
            study.images = [make_image(folder, code, seed=i) for i, code in enumerate("ABC")]
            make_hostile(folder)
            broken = folder / "C_i2d.fits"
            broken.write_bytes(broken.read_bytes()[:30_000])
            done = study.run()
            ended.write_text(json.dumps([study.images, done.returncode, done.stdout]))
    images, status, said = json.loads(ended.read_text())
    assert status == 0, said
    study = Study(folder)
    study.images, study.said = images, said
    return study


def make_hostile(folder):
    with fits.open(folder / "A_i2d.fits", mode="update") as hdus:
        hdus[0].header["OBS_ID"] = SCRIPT
        hdus[0].header["PI_NAME"] = IMAGE
        hdus[0].header["CAL_VER"] = HOSTILE[3]
        hdus[0].header["SIMULATD"] = True
    catalogue = Table.read(folder / "A.ecsv")
    catalogue["objID"] = [*HOSTILE, *catalogue["objID"][len(HOSTILE) :]]
    catalogue.write(folder / "A.ecsv", overwrite=True)


@pytest.fixture
def again(finished, tmp_path):
    """A copy of the finished study, modification times kept, to change."""
    folder = shutil.copytree(finished.folder, tmp_path / "copy", symlinks=True)
    study = Study(folder)
    study.images = [dict(row) for row in finished.images]
    return study


@pytest.fixture
def study(tmp_path):
    """A study of two small local images, not run yet."""
    small = Study(tmp_path)
    small.images = [make_image(tmp_path, code, seed=i) for i, code in enumerate(["A", "B"])]
    return small

"""Processor time and memory of whole `mirimask` processes on mosaics, beside sep and SExtractor.

    python benchmarks/mosaic.py [--frames 8 16]

A mosaic is 8 x 8 of the seven simulated fields beside each other, NaN where they hold nothing: 68
Mpx; that of 16 x 16, 272 Mpx, is compared with it. Each program runs by itself, in a process of its
own, on 68 Mpx three times, in turn with the others; time is the shortest processor time of the
process, memory its highest peak. sep is its `Background` and `extract` with a map of labels at 1.5
sigma, SExtractor its catalogue and segmentation at 1.5 sigma with a convolution mask of the PSF's
width, both with the pixel stack that a mosaic needs. A frame of memory is the SCI of the image in
float32.
"""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from measured import record, simulated_archive

import numpy as np  # isort: skip
from astropy.io import fits  # isort: skip

from mirimask.masks.programs import _kernel  # isort: skip

FIELDS, FWHM_PX, SOURCES, ROUNDS = range(1, 8), 2.445, 20_000, 3
STACK = 30_000_000
MIRIMASK = str(Path(sys.executable).parent / "mirimask")
START = "import numpy, scipy.ndimage, astropy.io.fits, astropy.wcs"
SEP = f"""
import sys, numpy, sep
from astropy.io import fits
with fits.open(sys.argv[1], memmap=False) as hdus:
    data = hdus["SCI"].data.astype("f4")
mask = ~numpy.isfinite(data)
data[mask] = 0
sep.set_extract_pixstack({STACK})
sky = sep.Background(data, mask=mask)
sky.subfrom(data)
print(len(sep.extract(data, 1.5, err=sky.globalrms, mask=mask, segmentation_map=True)[0]))
"""
SEXTRACTOR = {
    "CATALOG_TYPE": "ASCII_HEAD",
    "CATALOG_NAME": "cat.txt",
    "PARAMETERS_NAME": "detect.param",
    "FILTER_NAME": "detect.conv",
    "DETECT_MINAREA": 5,
    "DETECT_THRESH": 1.5,
    "ANALYSIS_THRESH": 1.5,
    "WEIGHT_TYPE": "MAP_WEIGHT",
    "WEIGHT_IMAGE": "weight.fits",
    "CHECKIMAGE_TYPE": "SEGMENTATION",
    "CHECKIMAGE_NAME": "segm.fits",
    "PHOT_APERTURES": 5.5,
    "MEMORY_OBJSTACK": 65_000,
    "MEMORY_PIXSTACK": STACK,
    "VERBOSE_TYPE": "QUIET",
    "NTHREADS": 1,
}
MEASURES = (
    *("NUMBER", "X_IMAGE", "Y_IMAGE", "ALPHA_J2000", "DELTA_J2000", "FLUX_ISO", "FLUXERR_ISO"),
    *("FLUX_APER", "FLUXERR_APER", "BACKGROUND", "ISOAREA_IMAGE", "A_IMAGE", "B_IMAGE"),
    *("THETA_IMAGE", "ELLIPTICITY"),
)


class Cost(NamedTuple):
    """Processor seconds and peak memory (bytes) of a process."""

    seconds: float
    peak: float


def run(command: list[str], folder: Path) -> Cost:
    """What a command costs; it ends the benchmark where it fails."""
    process = os.posix_spawnp(
        command[0],
        command,
        {**os.environ, "OMP_NUM_THREADS": "1", "PWD": str(folder)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, folder / "out.txt", os.O_WRONLY | os.O_CREAT, 0o600),
        ],
    )
    _, status, usage = os.wait4(process, 0)
    if status:
        sys.exit(f"{' '.join(command)[:200]} failed")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def mosaic(archive: Path, path: Path, copies: int) -> int:
    """Write the fields beside each other as one i2d; the number of its pixels."""
    fields = [fits.open(archive / f"Img{i}" / "i2d.fits", memmap=False) for i in FIELDS]
    fits.HDUList([fields[0][0].copy()]).writeto(path)
    for hdu in fields[0][1:]:  # a plane at a time: all together are seven frames of memory
        ny, nx = hdu.data.shape[-2:]
        whole = np.empty((copies * ny, copies * nx), hdu.data.dtype.newbyteorder("="))
        for row in range(copies):
            for column in range(copies):
                field = fields[(row * copies + column + row) % len(fields)]
                plane = field[hdu.name].data.reshape(ny, nx)
                if hdu.name == "SCI":  # one level of the sky, and nothing where nothing is
                    seen = field["WHT"].data > 0
                    plane = np.where(seen, plane - np.median(plane[seen]) + 6, np.nan)
                whole[row * ny : (row + 1) * ny, column * nx : (column + 1) * nx] = plane
        fits.append(path, whole, hdu.header, verify=False)
    return int(whole.size)


def catalogue(path: Path, image: Path) -> None:
    """A catalogue of `SOURCES` positions on an image, at random."""
    from mirimask.image.wcs import pixel_to_sky, read_wcs

    header = fits.getheader(image, "SCI")
    rng = np.random.default_rng(1)
    sky = pixel_to_sky(
        read_wcs(header, what="mosaic"),
        rng.uniform(0, header["NAXIS1"] - 1, SOURCES),
        rng.uniform(0, header["NAXIS2"] - 1, SOURCES),
    )
    rows = zip(range(SOURCES), sky.ra.deg, sky.dec.deg, strict=True)
    path.write_text("id,ra,dec\n" + "".join(f"{i},{ra:.8f},{dec:.8f}\n" for i, ra, dec in rows))


def for_sextractor(image: Path, folder: Path) -> None:
    """Write what SExtractor reads."""
    with fits.open(image, memmap=False) as hdus:
        data = hdus["SCI"].data.astype(np.float32)
        header = hdus["SCI"].header
    seen = np.isfinite(data)
    fits.writeto(folder / "image.fits", np.where(seen, data, 0), header, overwrite=True)
    fits.writeto(folder / "weight.fits", seen.astype(np.float32), overwrite=True)
    (folder / "detect.conv").write_text(_kernel(FWHM_PX))
    (folder / "detect.param").write_text("\n".join(MEASURES) + "\n")
    lines = "".join(f"{key} {value}\n" for key, value in SEXTRACTOR.items())
    (folder / "detect.sex").write_text(lines)


def sextractor(image: Path, folder: Path) -> Cost | None:
    """SExtractor's catalogue and segmentation; None where it is not installed."""
    program = shutil.which("source-extractor")
    if program is None:
        return None
    apart(for_sextractor, image, folder)
    here = Path.cwd()
    os.chdir(folder)  # it takes its files from where it runs
    try:
        return run([program, "image.fits", "-c", "detect.sex"], folder)
    finally:
        os.chdir(here)


def apart(function: Callable[..., Any], *arguments: object) -> Any:
    """The result of a function, in a process of its own.

    The peak of a process counts what the one had in memory that started it.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def least(runs: Sequence[Cost]) -> Cost:
    """The shortest time and the highest peak of several runs."""
    return Cost(min(one.seconds for one in runs), max(one.peak for one in runs))


def words(cost: Cost, frame: float) -> str:
    return f"{cost.seconds:.1f} s, {cost.peak / 1e9:.2f} GB ({cost.peak / frame:.1f} frames)"


def costs(image: Path, folder: Path) -> dict[str, Cost]:
    """Mask alone, with all products, and the score."""
    apart(catalogue, folder / "sources.csv", image)
    ask = [MIRIMASK, "mask", str(image), "--overwrite", "--quiet", "-o", str(folder / "mask.fits")]
    products = ("labels.fits", "catalogue.ecsv", "regions.reg")
    every = [part for name in products for part in (f"--{name.split('.')[0]}", str(folder / name))]
    score = [MIRIMASK, "score", str(image), str(folder / "sources.csv"), "--quiet", "--overwrite"]
    score += ["--method", "recommended", "-o", str(folder / "verdicts.csv")]
    return {
        "mask": run(ask, folder),
        "all": run(ask + every, folder),
        "score": run(score, folder),
    }


def row(
    what: str, bar: str, figure: str, reached: bool | None, how: str, before: str = ""
) -> dict[str, object]:
    return dict(what=what, before=before, bar=bar, figure=figure, reached=reached, how=how)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--frames", type=int, nargs="+", default=[8, 16], help="fields along a side of each mosaic"
    )
    options = parser.parse_args()
    archive = simulated_archive() / "archive"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "mosaic.fits"
        size = apart(mosaic, archive, path, options.frames[0])
        frame = 4.0 * size
        rounds: list[dict[str, Cost]] = []
        others: list[Cost] = []
        for _ in range(ROUNDS):  # in turn
            rounds.append(
                costs(path, folder) | {"sep": run([sys.executable, "-c", SEP, str(path)], folder)}
            )
            other = sextractor(path, folder)
            if other:
                others.append(other)
        sources = len(
            [line for line in (folder / "catalogue.ecsv").open() if not line.startswith("#")]
        )
        mpx = f"{size / 1e6:.0f} Mpx"
        mask, every, score, with_sep = (
            least([each[key] for each in rounds]) for key in ("mask", "all", "score", "sep")
        )
        other = least(others) if others else None
        rows = [
            row(
                f"recommended mask of {mpx}, whole process, over sep's background and extract",
                "<= 0.5; memory <= 3 frames",
                f"{mask.seconds / with_sep.seconds:.2f}; {mask.peak / frame:.1f} frames",
                mask.seconds <= 0.5 * with_sep.seconds and mask.peak <= 3 * frame,
                f"{words(mask, frame)}; sep {words(with_sep, frame)}",
                before="9.5 s; 8.3 frames",
            ),
            row(
                f"mask, labels, catalogue and regions of {mpx} over SExtractor's catalogue",
                "<= 1; memory <= 4 frames",
                "SExtractor is not installed"
                if other is None
                else f"{every.seconds / other.seconds:.2f}; {every.peak / frame:.1f} frames",
                None
                if other is None
                else every.seconds <= other.seconds and every.peak <= 4 * frame,
                f"{sources - 1} sources: {words(every, frame)}"
                + ("" if other is None else f"; SExtractor {words(other, frame)}"),
                before="96 s on 17 Mpx, SExtractor 6.9 s",
            ),
            row(
                f"`mirimask score` with {SOURCES} sources on {mpx} over the mask",
                "<= 2; memory <= 4 frames",
                f"{score.seconds / mask.seconds:.2f}; {score.peak / frame:.1f} frames",
                score.seconds <= 2 * mask.seconds and score.peak <= 4 * frame,
                words(score, frame),
                before="133 s; 8.8 GB",
            ),
        ]
        single = archive / "Img3" / "i2d.fits"
        ask = [
            MIRIMASK,
            "mask",
            str(single),
            "--overwrite",
            "--quiet",
            "-o",
            str(folder / "one.fits"),
        ]
        starts, imports = [], []
        for _ in range(5):  # in turn
            starts.append(run(ask, folder).seconds)
            imports.append(run([sys.executable, "-c", START], folder).seconds)
        rows.append(
            row(
                "start: mask of one frame, whole process, over the imports it needs",
                "<= 1.3",
                f"{min(starts) / min(imports):.2f}",
                min(starts) <= 1.3 * min(imports),
                f"{min(starts):.2f} s; {START}: {min(imports):.2f} s",
            )
        )
        for frames in options.frames[1:]:
            path.unlink()
            large = apart(mosaic, archive, path, frames)
            of_large = costs(path, folder)
            ratio = of_large["all"].seconds / large / (every.seconds / size)
            peak = max(cost.peak for cost in of_large.values())
            shown = ", ".join(f"{key} {words(of, 4.0 * large)}" for key, of in of_large.items())
            rows.append(
                row(
                    f"{large / 1e6:.0f} Mpx: time of a pixel over that of {mpx}, everything made",
                    "<= 1.2; memory <= 8 GB",
                    f"{ratio:.2f}; {peak / 1e9:.1f} GB",
                    ratio <= 1.2 and peak <= 8e9,
                    shown,
                )
            )
        record("mosaic", rows)


if __name__ == "__main__":
    main()

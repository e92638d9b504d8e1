"""Detectors that are programs of their own, as families: each mask is one run.

They work on files in a temporary folder, which is theirs alone and is their home, so that no
settings of the user or the working directory take part. docs/peers.md tells what each is set to.
"""

import json
import logging
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.masks import official_step
from mirimask.masks.family import Family, Scores, tool_family

__all__ = ["jwst_source_catalog", "noisechisel", "sextractor"]

_log = logging.getLogger("mirimask.masks.programs")


def _run(command: list[str], folder: Path) -> str:
    """Run a program in its folder; what it wrote, or MaskError with the end of that."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        last = " ".join(done.stdout.split()[-150:])
        raise MaskError(f"methods: {Path(command[0]).name} ended with an error: {last}")
    return done.stdout


### SExtractor #####################################################################################


def _kernel(fwhm_px: float) -> str:
    """A convolution mask of SExtractor: a Gaussian."""
    reach = int(np.ceil(fwhm_px))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    weights = np.exp(-4 * np.log(2) * (x**2 + y**2) / fwhm_px**2)
    rows = "\n".join(" ".join(f"{weight:.6f}" for weight in row) for row in weights)
    return f"CONV NORM\n# Gaussian of {fwhm_px:.3f} px FWHM\n{rows}\n"


def sextractor(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    box_px: int = 64,
    filter_box: int = 3,
    min_area: int = 5,
    deblend_levels: int = 32,
    deblend_contrast: float = 0.005,
    clean: float = 1.0,
) -> Family:
    """SExtractor (Bertin & Arnouts 1996, A&AS 117, 393): its segmentation at a threshold.

    Its convolution mask is a Gaussian of the PSF's width. A weight map, 1 where there is data and 0
    elsewhere, also makes its threshold follow the local noise: without one it is the same
    everywhere.
    """
    mask = _kernel(fwhm_px)
    settings = {
        "CATALOG_TYPE": "NONE",
        "PARAMETERS_NAME": "detect.param",
        "FILTER_NAME": "detect.conv",
        "DETECT_MINAREA": min_area,
        "DEBLEND_NTHRESH": deblend_levels,
        "DEBLEND_MINCONT": deblend_contrast,
        "CLEAN": "Y" if clean > 0 else "N",
        "CLEAN_PARAM": max(clean, 0.1),
        "WEIGHT_TYPE": "MAP_WEIGHT",
        "WEIGHT_IMAGE": "weight.fits",
        "WEIGHT_GAIN": "N",
        "BACK_SIZE": box_px,
        "BACK_FILTERSIZE": filter_box,
        "CHECKIMAGE_TYPE": "SEGMENTATION",
        "CHECKIMAGE_NAME": "segm.fits",
        "VERBOSE_TYPE": "QUIET",
        "WRITE_XML": "N",
        "MEMORY_PIXSTACK": max(300_000, empty.size),
        "MEMORY_OBJSTACK": 30_000,
    }

    def find(images: Scores, level: float) -> NDArray[np.generic]:
        data, seen = images
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            fits.writeto(folder / "image.fits", data.astype(np.float32))
            fits.writeto(folder / "weight.fits", seen.astype(np.float32))
            (folder / "detect.conv").write_text(mask)
            (folder / "detect.param").write_text("NUMBER\n")
            given = {**settings, "DETECT_THRESH": level, "ANALYSIS_THRESH": level}
            lines = (f"{key} {value}\n" for key, value in given.items())
            (folder / "detect.sex").write_text("".join(lines))
            _run(["source-extractor", "image.fits", "-c", "detect.sex"], folder)
            return fits.getdata(folder / "segm.fits").astype(np.int32)

    return tool_family("sextractor", levels, empty, lambda data, seen: (data,), find)


### NoiseChisel ####################################################################################


# What NoiseChisel and Segment say where an image has too little sky for them to measure noise in.
_TOO_LITTLE_SKY = ("interpolate_neighbors", "--minnumfalse", "--largetilesize")


def noisechisel(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    detect: dict[str, Any] | None = None,
    segment: dict[str, Any] | None = None,
) -> Family:
    """NoiseChisel and Segment of Gnuastro (Akhlaghi & Ichikawa 2015, ApJS 220, 1), by `snthresh`.

    That is the signal-to-noise ratio above which NoiseChisel takes a detection for true; labels are
    Segment's objects. `detect` and `segment` are options of the two by their long names. Pixels
    without data are blank. The kernels are theirs: `fwhm_px` has no part in them. Where they have
    too little sky to measure the noise in, nothing is marked, and the log says so.
    """

    def prepare(data: NDArray[np.floating], seen: NDArray[np.bool_]) -> Scores:
        return (np.where(seen, data, np.nan).astype(np.float32),)

    def find(images: Scores, level: float) -> NDArray[np.generic]:
        nothing = np.zeros(empty.shape, np.int32)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            fits.writeto(folder / "image.fits", images[0])
            common = {"numthreads": 1, "quiet": True}
            first = {"hdu": 0, "output": "detect.fits", "snthresh": level, **(detect or {})}
            second = {"hdu": 1, "output": "segment.fits", **(segment or {})}
            try:
                _run(["astnoisechisel", "image.fits", *_options(common | first)], folder)
                if not (fits.getdata(folder / "detect.fits", "DETECTIONS") == 1).any():
                    return nothing
                _run(["astsegment", "detect.fits", *_options(common | second)], folder)
            except MaskError as error:
                if not any(words in str(error) for words in _TOO_LITTLE_SKY):
                    raise
                _log.warning("noisechisel at %g marks nothing: %s", level, error)
                return nothing
            found = np.nan_to_num(np.asarray(fits.getdata(folder / "segment.fits", "OBJECTS")))
        return np.maximum(found, 0).astype(np.int32)

    return tool_family("noisechisel", levels, empty, prepare, find)


def _options(given: dict[str, Any]) -> list[str]:
    """Long options of a program of Gnuastro."""
    return [f"--{key}" if value is True else f"--{key}={value}" for key, value in given.items()]


### the pipeline's own step ########################################################################


def jwst_source_catalog(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    python: str,
    options: dict[str, Any] | None = None,
) -> Family:
    """The jwst pipeline's `source_catalog` step itself, by its `snr_threshold`.

    `python` is the interpreter of an environment with `jwst`; `options` are other arguments of the
    step, which by default are those of that release. All levels of an image are made in one run,
    since a start takes longer than a mask.
    """
    # resolved by hand: Path.resolve would follow the link out of the environment
    interpreter = os.path.abspath(python)

    def prepare(data: NDArray[np.floating], seen: NDArray[np.bool_]) -> Scores:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            np.savez(
                folder / "image.npz",
                data=data.astype(np.float32),
                seen=seen,
                levels=levels,
                options=json.dumps(options or {}),
            )
            script = os.path.abspath(official_step.__file__)
            _run([interpreter, "-I", script, "image.npz", "labels.npz"], folder)
            with np.load(folder / "labels.npz") as made:
                return (made["labels"],)

    def find(images: Scores, level: float) -> NDArray[np.generic]:
        return images[0][int(np.flatnonzero(levels == level)[0])]

    return tool_family("jwst_source_catalog", levels, empty, prepare, find)

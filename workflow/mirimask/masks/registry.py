"""Detectors: what an astronomer would use instead, and the paper's future work, as mask methods.

Each makes masks at a level: a threshold in units of noise, or a percentage as a slice has it. Its
name alone is the mask at the level that its authors publish (in config/detectors.yaml, with the
other settings and where they come from); `sep_2.5` is the mask of `sep` at the level 2.5.

To add one, write its family (`mirimask.families`) in a module of the library and give it a line
below and its settings in config/detectors.yaml:

    def bright(empty, *, fwhm_px, levels):
        return percent_family("bright", levels, lambda image: image)

This module is read at every start and imports nothing heavy.
"""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mirimask.errors import MaskError

if TYPE_CHECKING:
    from mirimask.families import Family

__all__ = [
    "DETECTORS",
    "Detector",
    "detector_family",
    "detector_labels",
    "missing",
    "split_level",
]


@dataclass(frozen=True)
class Detector:
    """A way to make masks at a level.

    `label`: its name in tables. `group`: `peer` or `future` (the paper's future work). `function`:
    `module.function` of this library that makes its `Family` from (empty, fwhm_px=, levels=, and
    the settings of the configuration). `needs`: an importable module, a program, or `python=`, a
    setting that names the Python interpreter it runs in.
    """

    label: str
    group: str
    function: str
    module: str = ""
    program: str = ""
    python: str = ""


def _future(label: str, function: str) -> Detector:
    return Detector(label, "future", function)


DETECTORS: dict[str, Detector] = {
    "pipeline_1.5.3": Detector("photutils, jwst 1.5.3", "peer", "peers.pipeline"),
    "pipeline_1.12.5": Detector("photutils, jwst 1.12.5", "peer", "peers.pipeline"),
    "pipeline_3.0.0": Detector("photutils, jwst 3.0.0", "peer", "peers.pipeline"),
    "source_finder": Detector("photutils SourceFinder", "peer", "peers.source_finder"),
    "dao_star_finder": Detector("DAOStarFinder", "peer", "peers.dao_star_finder"),
    "iraf_star_finder": Detector("IRAFStarFinder", "peer", "peers.iraf_star_finder"),
    "star_finder": Detector("StarFinder", "peer", "peers.star_finder"),
    "sep": Detector("sep", "peer", "peers.sep", module="sep"),
    "sextractor": Detector("SExtractor", "peer", "programs.sextractor", program="source-extractor"),
    "noisechisel": Detector(
        "NoiseChisel + Segment", "peer", "programs.noisechisel", program="astnoisechisel"
    ),
    "jwst_source_catalog": Detector(
        "jwst source_catalog", "peer", "programs.jwst_source_catalog", python="python"
    ),
    "log": Detector("Laplacian of Gaussian", "peer", "filters.log"),
    "dog": Detector("Difference of Gaussians", "peer", "filters.dog"),
    "starlet": Detector("starlet", "peer", "filters.starlet"),
    "matched_filter": Detector("matched filter", "peer", "filters.matched_filter"),
    "recommended_directions": _future(
        "recommended, 4 directions", "families.recommended_directions"
    ),
    "second_derivatives": _future("2nd derivative, 4 directions", "derivatives.second_derivatives"),
    "gradient_magnitude": _future("gradient, magnitude", "derivatives.gradient_magnitude"),
    "derivative_x": _future("derivative along x", "derivatives.derivative_x"),
    "derivative_repeated": _future("derivative, repeated", "derivatives.derivative_repeated"),
    "derivatives_merged": _future("derivatives, merged", "derivatives.derivatives_merged"),
    "derivative_of_gaussian": _future(
        "derivative of Gaussian", "derivatives.derivative_of_gaussian"
    ),
    "inverse_mask": _future("inverse mask", "inverse.inverse_mask"),
    "fourier": _future("Fourier high-pass", "spectral.fourier"),
    "ssa": _future("singular spectrum analysis", "spectral.ssa"),
    "tiled_background": _future("value less tiled background", "tiles.tiled_background"),
    "tiled_percentile": _future("percentile in tiles", "tiles.tiled_percentile"),
}

_NAME = re.compile(
    rf"(?P<name>{'|'.join(map(re.escape, sorted(DETECTORS, key=len, reverse=True)))})"
    r"(?:_(?P<level>[^_@]+))?"
)


def split_level(name: str) -> tuple[str, float | None] | None:
    """The detector and the level of a method's name; None where it is no detector's.

    The level is None where the name has none: the published default. MaskError where it is not a
    number above 0.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    if match["level"] is None:
        return match["name"], None
    try:
        level = float(match["level"])
    except ValueError:
        level = float("nan")
    if not 0 < level < float("inf"):
        raise MaskError(
            f"methods: '{name}': the level '{match['level']}' of {match['name']} must be a number "
            "above 0, with a point for decimals."
        )
    return match["name"], level


def missing(name: str, options: Mapping[str, Any]) -> str:
    """What a detector needs and is not there, in words; '' where it can run.

    `options` is its entry of the configuration.
    """
    detector = DETECTORS[name]
    if detector.module and find_spec(detector.module) is None:
        return f"the Python package {detector.module}"
    if detector.program and shutil.which(detector.program) is None:
        return f"the program {detector.program}"
    if detector.python:
        python = options["settings"][detector.python]
        if not Path(python).exists():
            return f"the Python environment {python}"
    return ""


def detector_family(
    name: str,
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    options: Mapping[str, Any],
    levels: NDArray[np.float64] | None = None,
) -> "Family":
    """The masks of a detector at `levels`, by default the published one.

    `empty` (ny, nx) are the pixels without observation, `options` its entry of the configuration:
    `level` and `settings`. MaskError where it is not installed.
    """
    lacks = missing(name, options)
    if lacks:
        raise MaskError(
            f"methods: {name} needs {lacks}, which is not here. `make peers` says how to get it; "
            "or remove the method."
        )
    module, _, function = DETECTORS[name].function.rpartition(".")
    build = getattr(import_module(f"mirimask.{module}"), function)
    if levels is None:
        levels = np.array([float(options["level"])])
    return build(empty, fwhm_px=fwhm_px, levels=levels, **options["settings"])


def detector_labels(
    name: str,
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    options: Mapping[str, Any],
    level: float | None = None,
    levels_of: NDArray[np.floating] | None = None,
) -> NDArray[np.generic]:
    """The mask (bool) or labels (int) of a detector, (ny, nx), at one level.

    A percentage is taken over the image itself, or over `levels_of` (ny, nx).
    """
    levels = None if level is None else np.array([level])
    family = detector_family(name, empty, fwhm_px=fwhm_px, options=options, levels=levels)
    scores = family.scores(_blank(data, empty))
    of = scores if levels_of is None else family.scores(_blank(levels_of, empty))
    return family.cut(scores, family.levels(of)[0])


def _blank(data: NDArray[np.floating], empty: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.where(empty, np.float32(np.nan), data).astype(np.float32, copy=False)

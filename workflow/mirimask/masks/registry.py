"""Every mask method, one line each.

To add one, write its function in a module of this package and give it a line in `METHODS`. A mask
that is one function of the image::

    def bright(data, empty, *, fwhm_px):
        return data > 10

    "bright": Method("bright pixels", "own_masks.bright", unit=""),

`data` is (ny, nx) float32 in MJy/sr, NaN in the `empty` pixels (bool); the mask is of its shape. A
method with a level, that can be swept and compared::

    def brightness(empty, *, fwhm_px, levels):  # percent_family: masks.thresholds
        return percent_family("brightness", levels, lambda image: image)

    "brightness": Method("brightness", "own_masks.brightness", "%", level=1, levels=(0.1, 9, 20)),

(Both with the types that their neighbours have.)

Its name then works wherever methods are named, alone, at a level (`brightness_2`) and joined with
others; its masks, verdicts, table rows and evaluation follow. Settings that a configuration should
be able to change are keywords of the function (config/detectors.yaml).

This module is read at every start and imports nothing heavy.
"""

import sys
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mirimask.errors import MaskError
from mirimask.masks.method import Method

__all__ = [
    "DETECTORS",
    "METHODS",
    "OWN",
    "Options",
    "missing",
    "published_level",
    "published_options",
    "settings_of",
]

# what the configuration says of methods by their names: `level`, `levels`, `settings`
Options = Mapping[str, Mapping[str, Any]]

_PERCENTS, _SIGMAS = (0.02, 25.0, 25), (1.0, 30.0, 25)


def _peer(label: str, function: str, **more: Any) -> Method:
    return Method(label, function, group="peer", **more)


def _future(label: str, function: str, unit: str = "%", **more: Any) -> Method:
    return Method(label, function, unit, group="future", **more)


# what photutils deblends with
_DEBLENDING = {"module": "skimage", "get": "pip install scikit-image"}

METHODS: dict[str, Method] = {
    # the paper's and this project's
    "value": Method(
        "value slice",
        "slices.value_slices",
        "%",
        level=4.6,
        levels=_PERCENTS,
        marked=(0.3, 1.0, 4.6),
        heading="Img",
        published="frame",
        about="the brightest P % of the pixels (value_4.6, value_1, value_0.3)",
    ),
    "derivative": Method(
        "derivative slice",
        "slices.derivative_slices",
        "%",
        level=4.6,
        levels=_PERCENTS,
        marked=(0.3, 4.6, 10.0),
        heading="Diff",
        published="crop",
        about="the P % with the steepest rise along y (derivative_10, derivative_4.6)",
    ),
    "union": Method(
        "value or derivative",
        "slices.union_slices",
        "%",
        level=4.6,
        levels=_PERCENTS,
        curve_label="value p/4.6 % or derivative p %",
        join="_or_",
    ),
    "intersection": Method(
        "value and derivative",
        "slices.intersection_slices",
        "%",
        level=4.6,
        levels=_PERCENTS,
        curve_label="value p/4.6 % and derivative p %",
        join="_and_",
    ),
    "segmentation": Method(
        "pipeline's segmentation",
        "segmentation.segmentation_family",
        levels=_SIGMAS,
        heading="Orig. Segm.",
        about="the jwst pipeline's: --segm FILE, or made with its settings",
    ),
    "recommended": Method(
        "recommended mask",
        "source_mask.recommended",
        unit="",
        heading="recommended",
        about="this project's: the light of the sources as far as it shows, and stars' halos",
        layers="source_mask.source_labels",
    ),
    "cores": Method(
        "cores",
        "cores.cores_family",
        level=5.0,
        levels=_SIGMAS,
        heading="cores",
        about="their cores alone: a slice of the second derivative over the local noise",
    ),
    # in use elsewhere
    "pipeline_1.5.3": _peer("photutils, jwst 1.5.3", "finders.pipeline"),
    "pipeline_1.12.5": _peer("photutils, jwst 1.12.5", "finders.pipeline"),
    "pipeline_3.0.0": _peer("photutils, jwst 3.0.0", "finders.pipeline", **_DEBLENDING),
    "source_finder": _peer("photutils SourceFinder", "finders.source_finder", **_DEBLENDING),
    "dao_star_finder": _peer("DAOStarFinder", "finders.dao_star_finder"),
    "iraf_star_finder": _peer("IRAFStarFinder", "finders.iraf_star_finder"),
    "star_finder": _peer("StarFinder", "finders.star_finder"),
    "sep": _peer("sep", "finders.sep", module="sep", get="pip install sep"),
    "sextractor": _peer(
        "SExtractor",
        "programs.sextractor",
        program="source-extractor",
        get="apt-get install source-extractor",
    ),
    "noisechisel": _peer(
        "NoiseChisel + Segment",
        "programs.noisechisel",
        program="astnoisechisel",
        get="apt-get install gnuastro",
    ),
    "jwst_source_catalog": _peer(
        "jwst source_catalog",
        "programs.jwst_source_catalog",
        python="python",
        get="pip install 'mirimask[jwst]'",
    ),
    "log": _peer("Laplacian of Gaussian", "filters.log"),
    "dog": _peer("Difference of Gaussians", "filters.dog"),
    "starlet": _peer("starlet", "filters.starlet"),
    "matched_filter": _peer("matched filter", "filters.matched_filter"),
    # the same with the noise of a window around the pixel, and the cores without it
    "log_window": _peer("Laplacian of Gaussian, window", "filters.log"),
    "dog_window": _peer("Difference of Gaussians, window", "filters.dog"),
    "starlet_window": _peer("starlet, window", "filters.starlet"),
    "matched_filter_window": _peer("matched filter, window", "filters.matched_filter"),
    "cores_tile": Method("cores without a window", "cores.cores_family"),
    # the paper's future work
    "cores_directions": _future("cores, 4 directions", "cores.cores_family", "sigma"),
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

# the paper's and this project's, as far as they can be swept
OWN = [name for name, method in METHODS.items() if method.group == "own" and method.levels]
# what a configuration has levels and settings of: all of others, and of the own what has no levels
DETECTORS = [
    name
    for name, method in METHODS.items()
    if method.group != "own" or (method.unit and method.levels is None)
]


@cache
def published_options() -> Options:
    """Level and settings of every detector as config/detectors.yaml has them, with their sources.

    They are those of a caller who gives none: `make_mask(image, "sep")`, `mirimask mask`.
    """
    import yaml

    text = files("mirimask.masks").joinpath("detectors.yaml").read_text(encoding="utf-8")
    options: dict[str, Any] = yaml.safe_load(text)["detectors"]
    for name, given in options.items():
        key = METHODS[name].python
        # beside the jwst package its own step runs in this interpreter
        if key and not Path(given["settings"][key]).exists() and find_spec("jwst"):
            given["settings"][key] = sys.executable
    return options


def settings_of(name: str, options: Options) -> Mapping[str, Any]:
    """The settings of a method: those of the configuration, or none where it needs none.

    MaskError where it has no level without them.
    """
    if name not in options and METHODS[name].unit and METHODS[name].levels is None:
        raise MaskError(
            f"the settings of {name} are not given; a study has them under "
            f"detectors.{name} (config/detectors.yaml)."
        )
    return options.get(name, {}).get("settings", {})


def published_level(name: str, options: Options) -> float:
    """The level that a method's authors use; NaN for a mask without levels."""
    given = options.get(name, {}).get("level", METHODS[name].level)
    return float("nan") if given is None else float(given)


def missing(name: str, options: Options) -> str:
    """What a method needs and is not there, in words; '' where it can run."""
    return METHODS[name].missing(settings_of(name, options))

"""Source masks in JWST MIRI images: slices, derivatives, verdicts and their evaluation::

    from mirimask import label_mask, make_mask, open_image

    image = open_image("jw01386-o014_t004_miri_f770w_i2d.fits")
    mask = make_mask(image, "recommended")  # bool, of the shape of the image
    labels = label_mask(mask)  # int32, 0 where nothing is

What can be had from here:

- An image: `open_image` reads an i2d, or any FITS image with a celestial WCS, as a `Frame`;
  `read_image` as FITS extensions. `identify` and `describe` are its rows of Tables 1 and 2.
- A mask: `make_mask` and `make_masks` know every method by its name (`value_4.6`, `derivative_10`,
  `value_1_or_derivative_4.6`, `segmentation`, `recommended`; `masks/registry.py` lists them). With
  settings of one's own: `source_mask`, and `source_labels` with its sources' numbers
  (`SourceSettings`); `core_mask`, and `curvature_snr`, the image that it cuts (`CoreSettings`);
  `segment`, the pipeline's steps (`SegmentationSettings`).
- A verdict: `read_catalogue`, `locate_sources` on the image, `reference_peaks` of it,
  `label_spots` of a mask that mark them, and `peak_verdicts` for each source.
- For other software: `label_mask`, and `measure_labels` with the circle of `point_aperture`;
  `project_mask` puts a mask onto another image, whose pixels `sky_of` places.
- `SourceMaskStep`, the mask as a step of the jwst pipeline, where that is installed.

A `MaskError` says in one line what is wrong with a file or a setting. The packages, and which of
them may import which, are in docs/architecture.md; the evaluation of masks is in
`mirimask.evaluation`.
"""

from importlib import import_module
from typing import Any

__version__ = "0.9.17"

# Where each name lives. It is imported when it is asked for: `import mirimask` costs nothing.
_HOMES = {
    "CoreSettings": "masks.cores",
    "Frame": "image.frame",
    "MaskError": "errors",
    "SegmentationSettings": "masks.segmentation",
    "SourceSettings": "masks.source_mask",
    "core_mask": "masks.cores",
    "curvature_snr": "masks.cores",
    "describe": "image.statistics",
    "identify": "image.statistics",
    "label_mask": "export.labels",
    "label_spots": "sources.spots",
    "locate_sources": "sources.catalogue",
    "make_mask": "masks.make",
    "make_masks": "masks.make",
    "measure_labels": "export.photometry",
    "open_image": "image.files",
    "peak_verdicts": "sources.verdicts",
    "point_aperture": "image.instrument",
    "read_catalogue": "sources.own_catalogues",
    "read_image": "image.own_files",
    "project_mask": "export.projection",
    "reference_peaks": "sources.peaks",
    "segment": "masks.segmentation",
    "sky_of": "export.projection",
    "source_labels": "masks.source_mask",
    "source_mask": "masks.source_mask",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name == "SourceMaskStep":  # not for `import *`: it imports the pipeline
        try:
            return import_module("mirimask.pipeline.step").SourceMaskStep
        except ModuleNotFoundError as error:
            raise ImportError(
                f"SourceMaskStep needs the Python package {error.name}: "
                "pip install 'mirimask[jwst]'"
            ) from None
    if name in _HOMES:
        return getattr(import_module(f"mirimask.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'mirimask' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)

"""Source masks in JWST MIRI images: slices, derivatives, verdicts and their evaluation.

The library knows arrays and tables. It never imports snakemake, never reads a
configuration or a path by itself; `archive` alone talks to a network, `simulate`
alone (with the truth-based evaluation) knows the truth, figures only draw.

What is used most can be had from here: `from mirimask import open_image, make_mask`.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Where each name lives. It is imported when it is asked for: `import mirimask` costs nothing.
_HOMES = {
    "Frame": "image.frame",
    "MaskError": "errors",
    "core_mask": "masks.cores",
    "curvature_snr": "masks.cores",
    "describe": "image.statistics",
    "identify": "image.statistics",
    "label_mask": "export.labels",
    "locate_sources": "sources.catalogue",
    "make_mask": "masks.make",
    "make_masks": "masks.make",
    "measure_labels": "export.photometry",
    "open_image": "image.opening",
    "peak_verdicts": "sources.verdicts",
    "point_aperture": "image.instrument",
    "read_catalogue": "sources.own_catalogues",
    "read_image": "image.own_files",
    "reference_peaks": "sources.peaks",
    "segment": "masks.segmentation",
    "source_labels": "masks.source_mask",
    "source_mask": "masks.source_mask",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"mirimask.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'mirimask' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)

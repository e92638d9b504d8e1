"""Pictures of the simulation beside what it stands for."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mirimask.figures.style import default_style
from mirimask.image.levels import percentile_limits
from mirimask.image.psf import Psf

__all__ = ["psf_figure", "sky_figure"]


@default_style
def sky_figure(simulated: NDArray, real: NDArray, pixel_arcsec: float, path: str | Path) -> None:
    """Two patches of sky (MJy/sr, NaN = empty) side by side, minus their median, same stretch."""
    figure = Figure(figsize=(15, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    flat = real - np.nanmedian(real)
    low, high = percentile_limits(flat, (2, 99.5))
    for axes, (title, patch) in zip(
        figure.subplots(1, 2), (("SIMULATED", simulated), ("real (PRIMER-UDS)", real)), strict=True
    ):
        shown = axes.imshow(
            patch - np.nanmedian(patch),
            origin="lower",
            cmap="gray",
            vmin=low,
            vmax=high,
            extent=(0, patch.shape[1] * pixel_arcsec, 0, patch.shape[0] * pixel_arcsec),
            interpolation="nearest",
        )
        axes.set_title(f"{title}, F770W, {pixel_arcsec} arcsec/px")
        axes.set_xlabel("x (arcsec)")
        axes.set_ylabel("y (arcsec)")
    figure.colorbar(shown, ax=figure.axes, label="surface brightness minus median (MJy/sr)")
    figure.savefig(path, dpi=90, format="png", metadata={"Software": None})


@default_style
def psf_figure(psf: Psf, reference: NDArray, reference_pixel: float, path: str | Path) -> None:
    """The computed PSF beside a reference, logarithmic, each as a share of its peak."""
    figure = Figure(figsize=(13, 6), layout="constrained")
    FigureCanvasAgg(figure)
    half = reference.shape[0] // 2 * reference_pixel
    middle = psf.data.shape[0] // 2
    reach = int(half / psf.pixel_scale_arcsec * psf.oversample)
    cut = psf.data[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
    for axes, (title, image) in zip(
        figure.subplots(1, 2), (("SIMULATED (poppy)", cut), ("STPSF 2.1.0", reference)), strict=True
    ):
        shown = axes.imshow(
            np.maximum(image / image.max(), 1e-6),
            origin="lower",
            norm=LogNorm(1e-5, 1),
            cmap="viridis",
            extent=(-half, half, -half, half),
        )
        axes.set_title(f"{title}, {psf.filter}")
        axes.set_xlabel("x (arcsec)")
        axes.set_ylabel("y (arcsec)")
    figure.colorbar(shown, ax=figure.axes, label="share of the peak")
    figure.savefig(path, dpi=90, format="png", metadata={"Software": None})

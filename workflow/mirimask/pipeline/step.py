"""The source mask as a step of the jwst pipeline.

    strun mirimask.SourceMaskStep X_i2d.fits
    strun calwebb_image3 asn.json --steps.source_catalog.post_hooks="mirimask.SourceMaskStep,"

docs/in-the-pipeline.md has it from Python, and what is written.
"""

import logging
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from jwst.stpipe import Step
from stdatamodels.jwst import datamodels

from mirimask import __version__
from mirimask.atomic import replacing
from mirimask.errors import MaskError
from mirimask.export.labels import label_mask
from mirimask.export.photometry import measure_labels, provenance
from mirimask.image.files import open_image, write_whole_mask
from mirimask.image.frame import Frame, whole_frame
from mirimask.masks.make import make_mask, numbered_sources

__all__ = ["SourceMaskStep"]

log = logging.getLogger("jwst.mirimask")  # a name that the pipeline shows


class SourceMaskStep(Step):
    """Mask the sources of a resampled image (i2d).

    Writes `<product>_segm.fits` (the sources' labels, where the pipeline writes its own),
    `<product>_mask.fits` (0 and 1) and `<product>_sources.ecsv` (position, flux and shape of each
    label, docs/products.md). As a step it gives the labels as a `SegmentationMapModel`, and writes
    where results are saved; as a post-hook of `resample` or `source_catalog` it writes always and
    leaves their results as they are. What cannot be masked is an error of the step, and in the
    log where it is a hook.
    """

    class_alias = "source_mask"

    spec = """
        suffix = string(default='segm')  # of the label image; another one keeps the pipeline's
        method = string(default='recommended')  # mask method, as `mirimask mask --method` lists
    """

    def process(self, input_data: Any) -> Any:
        """Mask an image: a path, an ImageModel, or as a hook what its step made."""
        try:
            with tempfile.TemporaryDirectory(prefix="mirimask-") as folder, ExitStack() as opened:
                path, model = self._image(input_data, Path(folder))
                if model is not input_data:
                    opened.callback(model.close)
                return self._masked(open_image(path), model)
        except MaskError as error:
            if self.parent is None:
                raise
            log.error(f"{error} No source mask is made.")
            return None

    def _image(self, given: Any, folder: Path) -> tuple[Path, Any]:
        """The file of an image, for an open one made in `folder`, and its model."""
        if isinstance(given, str | Path):
            path = Path(self.make_input_path(str(given)))
            return path, datamodels.open(str(path))
        if isinstance(given, datamodels.ImageModel):
            name, date = given.meta.filename, given.meta.date
            path = folder / Path(name or "image_i2d.fits").name
            given.save(str(path))
            given.meta.filename, given.meta.date = name, date
            return path, given
        # of source_catalog's catalogue: the image that it is of is on the disk by now
        if self.parent is not None:
            for name in (
                self.parent.make_output_path(suffix="i2d", ext=".fits"),
                self.parent.make_input_path(self.parent.default_output_file()),
            ):
                if Path(name).is_file():
                    return Path(name), datamodels.open(str(name))
        raise MaskError(
            f"a {type(given).__name__} is no resampled image (ImageModel), and there is no i2d "
            "file of it; give an i2d, or make this a post-hook of resample."
        )

    def _masked(self, frame: Frame, model: Any) -> Any:
        own = numbered_sources(frame, self.method)
        mask = make_mask(frame, self.method) if own is None else own.sources > 0
        labels = label_mask(mask, segmentation=None if own is None else own.sources)
        segm = datamodels.SegmentationMapModel(whole_frame(frame, labels.astype(np.uint32))[0])
        segm.update(model, only="PRIMARY")
        segm.meta.wcs, segm.meta.wcsinfo = model.meta.wcs, model.meta.wcsinfo
        log.info(
            f"mirimask {__version__}, {self.method}: {np.unique(labels).size - 1} sources, "
            f"{mask.sum()} pixels"
        )
        if self.parent is None and not (self.save_results or self.output_file):
            return segm
        path = self.make_output_path(suffix="mask", ext=".fits")
        write_whole_mask(path, mask, frame, METHOD=self.method)
        aperture = frame.point_aperture
        table = measure_labels(
            frame,
            labels,
            aperture=aperture,
            detections=None if own is None else own.detections,
        )
        table.meta |= provenance(frame, aperture, METHOD=self.method)
        catalogue = self.make_output_path(suffix="sources", ext=".ecsv")
        with replacing(catalogue) as temporary:
            table.write(temporary, format="ascii.ecsv")
        log.info(f"Wrote source mask and catalogue: {path}, {catalogue}")
        if self.parent is None:
            return segm
        self.save_model(segm, suffix=self.suffix, force=True)
        log.info(f"Wrote label image: {segm.meta.filename}")
        return None

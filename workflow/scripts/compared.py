"""What the rules that set masks side by side share: families by name, scenes of all images."""

import numpy as np
from mirimask.detectors import DETECTORS, detector_family
from mirimask.families import LEVELS, PERCENTS, family_of
from mirimask.frame import read_crop
from mirimask.recommended import DEFAULT
from mirimask.segmentation import SegmentationSettings
from scenes import scene_of

# the study's own masks: the level in use, and those of the curve
OWN = {
    "recommended": (DEFAULT.seed, LEVELS),
    "value": (4.6, PERCENTS),
    "derivative": (4.6, PERCENTS),
    "union": (4.6, PERCENTS),
    "intersection": (4.6, PERCENTS),
}


def published_level(name, detectors):
    """The level that a family's authors use."""
    return OWN[name][0] if name in OWN else float(detectors[name]["level"])


def swept_levels(name, detectors):
    """The levels of a family's curve, the published one among them."""
    if name in OWN:
        levels = OWN[name][1]
    else:
        low, high, number = detectors[name]["levels"]
        levels = np.geomspace(low, high, int(number))
    return np.unique(np.append(levels, published_level(name, detectors)))


def family_at(name, crop, levels, params):
    """A family of the study or a detector, for a crop, at `levels`."""
    if name in DETECTORS:
        return detector_family(
            name,
            crop.empty,
            fwhm_px=crop.fwhm_px,
            options=params.detectors[name],
            levels=np.asarray(levels, float),
        )
    options = dict(params.segmentation)
    settings = SegmentationSettings.for_jwst(options.pop("jwst_version"), **options)
    return family_of(
        name,
        crop.empty,
        fwhm_px=crop.fwhm_px,
        segmentation=settings,
        settings=np.asarray(levels, float),
    )


def scenes(job):
    """Each image of the job: its name, crop, scene and the magnitudes of its added stars."""
    truths = dict(zip(job.params.with_truth, job.input.truths, strict=True))
    inputs = zip(job.params.images, job.input.frames, job.input.peaks, job.input.psfs, strict=True)
    for image, frame, peaks, psf in inputs:
        crop = read_crop(frame)
        files = Files(peaks=peaks, psf=psf, truth=truths.get(image))
        scene, magnitudes = scene_of(crop, image, files, job.params)
        yield image, crop, scene, magnitudes


class Files(dict):
    """Input files by name, as a job has them."""

    __getattr__ = dict.__getitem__

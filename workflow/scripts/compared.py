"""What the rules that set masks side by side share: methods by name, scenes of all images."""

from evaluated import method_options
from mirimask.image.files import read_crop
from mirimask.masks.make import family_at
from scenes import scene_of


def family_on(crop, name, levels, params):
    """A method of the registry for a crop, at `levels`."""
    return family_at(name, crop.empty, levels, fwhm_px=crop.fwhm_px, options=method_options(params))


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

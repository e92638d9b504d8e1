"""Simulate a field: all files of archive/<image>/."""

from job import script
from mirimask.image.psf import read_psf
from mirimask.masks.segmentation import SegmentationSettings
from mirimask.simulation.field import simulate, write_simulated


def main(job):
    image = job.wildcards.image
    params = job.params
    segmentation = dict(params.segmentation)
    version = segmentation.pop("jwst_version")
    simulated = simulate(
        image,
        read_psf(job.input.psf),
        field=params.field,
        detector=params.detector,
        observation=params.observation,
        segmentation=SegmentationSettings.for_jwst(version, **segmentation),
        jwst_version=version,
        box_deg=params.box_deg,
        catalogue_name=params.catalogue,
    )
    paths = {name: getattr(job.output, name) for name in job.output.keys()}  # noqa: SIM118
    write_simulated(simulated, image, paths, empty=float(params.empty_pixels))


if "snakemake" in globals():
    script(main, snakemake)

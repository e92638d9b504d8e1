"""Compute the PSF of a filter."""

from job import script
from mirimask.image.psf import PsfSettings, make_psf, write_psf


def main(job):
    settings = dict(job.params.psf or {})  # a study without a simulation has none
    if "ipc" in settings:
        settings["ipc"] = tuple(settings["ipc"])
    psf = make_psf(job.wildcards.filter, PsfSettings(**settings))
    write_psf(job.output.psf, psf)


if "snakemake" in globals():
    script(main, snakemake)

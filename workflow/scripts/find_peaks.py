"""Find the reference peaks of the crop: peaks/<image>.csv."""

from job import script
from mirimask.atomic import replacing
from mirimask.image.files import read_crop
from mirimask.image.frame import pixels
from mirimask.sources.peaks import reference_peaks


def main(job):
    crop = read_crop(job.input.frame, planes=False)
    peaks = reference_peaks(
        crop.data,
        crop.empty,
        fwhm_px=crop.fwhm_px,
        snr=job.params.snr,
        background_box_px=round(
            pixels(job.params.background_box, crop.pixel_scale, fwhm_px=crop.fwhm_px)
        ),
    )
    with replacing(job.output.peaks) as temporary:
        peaks.to_csv(temporary, index=False, float_format="%.6g")


if "snakemake" in globals():
    script(main, snakemake)

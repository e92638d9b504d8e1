"""The recommended mask on every image: figures/recommended.png, .pdf."""

from job import any_simulated, script
from mirimask.figures.style import save_figure
from mirimask.figures.use import MaskedImage, draw_masked_images
from mirimask.image.files import read_crop, read_mask
from mirimask.image.levels import percentile_limits

MOST = 21  # images in a figure


def main(job):
    files = list(zip(job.params.images, job.input.frames, job.input.masks, strict=True))
    shown = []
    for image, frame, mask in files[:MOST]:
        data = read_crop(frame, planes=False).masked
        limits = percentile_limits(data, (5, 99.5))
        shown.append(MaskedImage(image, data, read_mask(mask)[0], limits))
    save_figure(
        draw_masked_images(
            shown,
            method="recommended",
            more=len(files) - len(shown),
            simulated=any_simulated(job.input.statistics),
        ),
        png=job.output.png,
        pdf=job.output.pdf,
    )


if "snakemake" in globals():
    script(main, snakemake)

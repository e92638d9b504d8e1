"""The page to look at images and masks: results/<study>/browser.html."""

from job import script
from mirimask.atomic import write_text
from mirimask.image.files import read_crop, read_gradient, read_mask
from mirimask.report.browser import BrowsedImage, browser_page, image_data, largest_side
from mirimask.table_files import read_table


def main(job):
    methods, params = job.params.methods, job.params
    masks, verdicts = iter(job.input.masks), iter(job.input.verdicts)
    images, simulated = [], False
    largest = largest_side(len(job.input.frames))
    for frame, gradient in zip(job.input.frames, job.input.gradients, strict=True):
        crop = read_crop(frame, planes=False)
        simulated |= crop.simulated
        image = BrowsedImage(
            crop.primary["IMAGE"],
            crop.masked,
            read_gradient(gradient, "crop"),
            {method: read_mask(next(masks))[0] for method in methods},
            {method: read_table(next(verdicts)) for method in methods},
            crop.length_px(params.radius),
            crop.length_px(params.near),
        )
        images.append(image_data(image, largest=largest))
    page = browser_page(
        images,
        study=params.study,
        simulated=simulated,
        radius=params.radius,
        near=params.near,
        of_a_spot=params.of_a_spot,
    )
    write_text(job.output.page, page)


if "snakemake" in globals():
    script(main, snakemake)

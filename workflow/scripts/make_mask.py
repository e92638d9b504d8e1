"""Make one mask of one image: masks/<image>/<method>.fits."""

from job import script
from mirimask.image.files import read_crop, read_frame, read_gradient, read_mask, write_mask
from mirimask.masks.make import combined_mask, make_masks
from mirimask.masks.names import parse_method


def main(job):
    name = parse_method(job.wildcards.method)
    crop = read_crop(job.input.frame, planes=False)
    made = {"method": name.name}
    if name.parts:
        parts = [read_mask(path)[0] for path in job.input.masks]
        mask = combined_mask(parts, name.method)
    else:
        domain, given = job.params.get("domain", "crop"), job.input.get("gradient")
        mask, threshold = make_masks(
            crop,
            [name.name],
            domain=domain,
            frame=read_frame(job.input.i2d, planes=False).masked if job.input.get("i2d") else None,
            gradient={domain: read_gradient(given, domain)} if given else None,
            segmentation=job.input.get("segm"),
            options=job.params.get("detectors"),
        )[name.name]
        if name.is_slice:
            made |= {"domain": domain, "percent": name.percent, "thresh": threshold}
    write_mask(job.output.mask, mask, crop, **made)


if "snakemake" in globals():
    script(main, snakemake)

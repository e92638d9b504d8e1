"""Make one mask of one image: masks/<image>/<method>.fits."""

from job import script
from mirimask.errors import MaskError
from mirimask.frame import read_crop, read_mask, read_science, write_mask
from mirimask.masks import combined_mask, slice_mask
from mirimask.methods import parse_method


def main(job):
    method = parse_method(job.wildcards.method)
    crop = read_crop(job.input.frame, planes=False)
    made = {"method": method.name}
    if method.is_slice:
        domain = job.params.domain
        frame = read_science(job.input.i2d) if job.input.get("i2d") else None
        mask, threshold = slice_mask(crop, method, domain=domain, frame=frame)
        made |= {"domain": domain, "percent": method.percent, "thresh": threshold}
    elif method.kind == "segmentation":
        labels = read_science(job.input.segm)
        shape = crop.frame_shape
        if labels.shape != shape:
            raise MaskError(
                f"{job.input.segm}: the segmentation image has {labels.shape[0]} rows and "
                f"{labels.shape[1]} columns, its i2d {shape[0]} and {shape[1]}; they must be equal."
            )
        mask = crop.cut(labels) > 0
    else:
        parts = [read_mask(path)[0] for path in job.input.masks]
        mask = combined_mask(parts, method.kind)
    write_mask(job.output.mask, mask, crop, **made)


if "snakemake" in globals():
    script(main, snakemake)

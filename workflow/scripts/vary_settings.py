"""Count Table 3 of one image with other settings: evaluation/sensitivity/<image>.csv."""

from job import script
from mirimask.evaluation.sensitivity import tried_settings, vary_settings
from mirimask.image.files import read_crop, read_frame, read_mask
from mirimask.table_files import read_ecsv, write_csv


def masks_of(paths, names):
    return {name: read_mask(path)[0] for name, path in zip(names, paths, strict=True)}


def main(job):
    crop, p, files = read_crop(job.input.frame, planes=False), job.params, job.input
    own = {
        "scorer": p.scorer,
        "radius": p.radius,
        "near": p.near,
        "snr": p.peaks["snr"],
        "min_pixels": p.min_pixels,
        "smallest_spot": p.smallest_spot,
    }
    tried = {"radii": p.radii, "snrs": p.snrs, "smallest": p.smallest}
    standard, variants = tried_settings(crop, **own, tolerance_fwhm=p.tolerance_fwhm, **tried)
    others = files.get("other_masks")
    table = vary_settings(
        read_frame(files.i2d),
        crop,
        read_ecsv(files.sources),
        read_ecsv(files.catalogue),
        masks_of(files.masks, p.methods),
        masks_of(others, p.methods) if others else {},
        standard=standard,
        variants=variants,
        background_box=p.peaks["background_box"],
        other_domain=p.other_domain,
        segmentation=p.segmentation,
        segmentations=p.segmentations,
        catalogue_settings=p.catalogue,
        cuts=p.cuts,
    )
    write_csv(job.output.csv, table.assign(image=job.wildcards.image))


if "snakemake" in globals():
    script(main, snakemake)

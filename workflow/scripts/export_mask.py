"""One mask as files for other software: labels, a catalogue of its sources, and regions."""

from job import script
from mirimask.atomic import replacing, write_text
from mirimask.export.ds9 import region_file
from mirimask.export.labels import label_mask, write_labels
from mirimask.export.photometry import measure_labels, provenance
from mirimask.image.files import read_crop, read_mask
from mirimask.image.frame import pixels
from mirimask.image.instrument import point_aperture
from mirimask.image.own_files import read_segmentation
from mirimask.masks.make import numbered_sources
from mirimask.sources.verdicts import VERDICT_COLUMNS
from mirimask.table_files import read_ecsv, read_table


def main(job):
    image, method = job.wildcards.image, job.wildcards.method
    crop = read_crop(job.input.frame)
    mask, header = read_mask(job.input.mask)
    made = {key: header.get(key) for key in ("METHOD", "DOMAIN", "PERCENT", "THRESH")}
    own = numbered_sources(crop, method, job.params.detectors)
    segmentation = None if own is None else own.sources
    if job.input.get("segm"):
        segmentation = crop.cut(read_segmentation(job.input.segm, crop.frame_shape, image=image))
    labels = label_mask(mask, min_pixels=job.params.min_pixels, segmentation=segmentation)
    detections = None if own is None else own.detections
    write_labels(job.output.labels, labels, crop, detections=detections, **made)

    radius = pixels(job.params.radius, crop.pixel_scale, fwhm_px=crop.fwhm_px) * crop.pixel_scale
    sources = read_ecsv(job.input.sources)
    aperture = point_aperture(crop.primary["FILTER"], crop.pixel_scale)
    measured = measure_labels(
        crop,
        labels,
        aperture=aperture,
        detections=detections,
        sources=sources,
        match_radius_arcsec=radius,
    )
    measured.meta |= provenance(
        crop, aperture, **made, catalogue=job.params.catalogue, match_radius_arcsec=round(radius, 4)
    )
    with replacing(job.output.catalogue) as temporary:
        measured.write(temporary, format="ascii.ecsv")

    # the verdicts' file has positions to 0.04 arcsec only
    verdicts = sources["id", "ra", "dec"]
    column = VERDICT_COLUMNS[job.params.scorer]
    verdicts["verdict"] = list(read_table(job.input.verdicts)[column])
    write_text(
        job.output.regions,
        region_file(measured, crop, verdicts=verdicts, radius_arcsec=radius, method=method),
    )


if "snakemake" in globals():
    script(main, snakemake)

"""Time of the verdicts of one image and method, beyond reading the files.

    python benchmarks/time_verdicts.py

Img6 of the simulated study has as many sources as the paper's (43): its peaks and masks are made
here, in memory; then spots, verdicts and the literal rule's verdicts are timed for each mask, as
the rule `verdicts` calls them. The slowest mask counts.
"""

import argparse

from measured import ROOT, best, record, simulated_archive

import yaml  # isort: skip
from astropy.table import Table  # isort: skip
from mirimask.sources.catalogue import CATALOGUES, catalogue_settings, circle_sizes, locate_sources  # isort: skip
from mirimask.image.files import read_frame  # isort: skip
from mirimask.image.frame import crop_frame, pixels  # isort: skip
from mirimask.image.own_files import read_segmentation  # isort: skip
from mirimask.masks.make import make_masks  # isort: skip
from mirimask.masks.names import parse_method  # isort: skip
from mirimask.sources.peaks import reference_peaks  # isort: skip
from mirimask.masks.cores import core_mask  # isort: skip
from mirimask.sources.spots import label_spots  # isort: skip
from mirimask.sources.verdicts import literal_verdicts, peak_verdicts  # isort: skip

IMAGE, BAR_MS = "Img6", 5.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=2)
    options = parser.parse_args()
    folder = simulated_archive() / "archive" / IMAGE
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    frame = read_frame(folder / "i2d.fits")
    crop = crop_frame(
        frame, rows=config["crop"]["rows"], columns=config["crop"]["columns"], image=IMAGE
    )
    fwhm_px = crop.fwhm_px
    settings = catalogue_settings(
        dict.fromkeys(("vizier", "irsa", "id", "ra", "dec", "keep", "resolution"))
        | {"name": "unwise"},
        ask=False,
    )
    sources = locate_sources(
        Table.read(folder / "unwise.ecsv"),
        crop.wcs,
        crop.data.shape,
        **{f"{key}_column": settings[key] for key in ("id", "ra", "dec")},
        keep=settings["keep"],
    )
    peaks = reference_peaks(
        crop.data,
        crop.empty,
        fwhm_px=fwhm_px,
        snr=config["peaks"]["snr"],
        background_box_px=round(
            pixels(config["peaks"]["background_box"], crop.pixel_scale, fwhm_px=fwhm_px)
        ),
    )
    x, y = (sources[axis].data.astype(float) for axis in "xy")
    sizes = circle_sizes(CATALOGUES["unwise"].resolution_arcsec, native=True)
    circle = {f"{key}_px": pixels(size, crop.pixel_scale) for key, size in sizes.items()}
    slices = [name for name in config["methods"] if parse_method(name).is_slice]
    made = make_masks(crop, slices, domain="published", frame=frame.masked)
    masks = {name: mask for name, (mask, _) in made.items()}
    window = (slice(*config["crop"]["rows"]), slice(*config["crop"]["columns"]))
    masks["segmentation"] = read_segmentation(folder / "segm.fits", frame.data.shape)[window] > 0
    masks["cores"] = core_mask(crop.data, crop.empty, fwhm_px=fwhm_px)

    def judge(mask) -> None:
        spots = label_spots(
            mask,
            peaks,
            min_pixels=config["spots"]["min_pixels"],
            tolerance_px=config["spots"]["tolerance_fwhm"] * fwhm_px,
        )
        peak_verdicts(x, y, spots, peaks, **circle)
        literal_verdicts(x, y, mask, **circle)

    times = best(
        [lambda mask=mask: judge(mask) for mask in masks.values()],
        seconds=options.seconds * len(masks),
    )
    slowest = max(range(len(times)), key=times.__getitem__)
    names = [f"{name} {1e3 * spent:.1f} ms" for name, spent in zip(masks, times, strict=True)]
    record(
        "time_verdicts",
        [
            {
                "what": f"verdicts of one image and method, {len(x)} sources, slowest method",
                "bar": f"<= {BAR_MS:g} ms beyond reading the files",
                "figure": f"{1e3 * times[slowest]:.1f} ms",
                "reached": 1e3 * times[slowest] <= BAR_MS,
                "how": f"{IMAGE}, {len(peaks)} peaks, both rules: {', '.join(names)}",
            }
        ],
    )


if __name__ == "__main__":
    main()

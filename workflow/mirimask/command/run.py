"""`mirimask` on the command line: one image, without a study.

Exit status 0: done; 1: something is wrong with a file, said in one line; 2: wrong usage;
130: interrupted. Results go to the files named or to standard output, everything else to standard
error. Heavy imports stand in the functions: `mirimask --help` must not wait for them.
"""

import argparse
import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirimask.atomic import replacing, write_text
from mirimask.command.parser import parser
from mirimask.errors import MaskError

if TYPE_CHECKING:
    import pandas as pd
    from astropy.table import Table

    from mirimask.image.frame import Frame

__all__ = ["main"]

BACKGROUND_BOX_FWHM = 10  # of the reference peaks, as in a study (peaks.background_box)


class Progress:
    """Says on standard error what is being done, where a person looks on."""

    def __init__(self, *, shown: bool) -> None:
        self.shown = shown

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        if self.shown:
            print(f"{what} ...", end="", file=sys.stderr, flush=True)
        try:
            yield
        finally:
            if self.shown:
                print(f" {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)


def check_outputs(
    given: dict[str, str | None], inputs: list[str | None], *, overwrite: bool
) -> None:
    """Before any work: every output can be written, and none is an input or another output."""
    used: dict[Path, str] = {Path(path).resolve(): "an input" for path in inputs if path}
    for option, name in given.items():
        if not name:
            continue
        path = Path(name)
        if path.resolve() in used:
            raise MaskError(f"{option} '{name}' is also {used[path.resolve()]}; name another file.")
        used[path.resolve()] = f"the file of {option}"
        if path.is_dir():
            raise MaskError(f"{option} '{name}' is a folder; name a file in it.")
        if not path.parent.is_dir():
            raise MaskError(f"{option} '{name}': there is no folder '{path.parent}'; make it.")
        if path.exists() and not overwrite:
            raise MaskError(f"{option} '{name}' is there already; add --overwrite to replace it.")


@contextmanager
def about(path: str) -> Iterator[None]:
    """Errors name the image."""
    try:
        yield
    except MaskError as error:
        raise MaskError(str(error) if path in str(error) else f"'{path}': {error}") from None


def opened(options: argparse.Namespace, *, error: bool = True) -> "Frame":
    from mirimask.image.files import open_image

    rows, columns = options.crop or (None, None)
    return open_image(
        options.image,
        filter_name=options.filter,
        rows=rows,
        columns=columns,
        error_path=options.error,
        weight_path=options.weight,
        pixel_unit=options.pixel_unit,
        keep=("ERR",) if error else (),
    )


def whole_image(options: argparse.Namespace, image: "Frame") -> Any:
    """The frame beyond the crop, which slices over the published domain are of."""
    if options.domain == "crop":
        return None
    if options.crop is None:
        return image.data
    return opened(argparse.Namespace(**{**vars(options), "crop": None})).data


def sources_on(options: argparse.Namespace, path: str, image: "Frame") -> "Table":
    """The catalogue's sources on the image, its columns those in use where none is named."""
    from mirimask.sources.catalogue import locate_sources
    from mirimask.sources.own_catalogues import KNOWN_COLUMNS, read_catalogue

    table = read_catalogue(
        path,
        id_=options.id or KNOWN_COLUMNS["id"],
        ra=options.ra or KNOWN_COLUMNS["ra"],
        dec=options.dec or KNOWN_COLUMNS["dec"],
        settings={"id": "--id", "ra": "--ra", "dec": "--dec"},
    )
    names = table.meta["columns"]
    located = locate_sources(
        table,
        image.wcs,
        image.data.shape,
        id_column=names["id"],
        ra_column=names["ra"],
        dec_column=names["dec"],
    )
    located.meta["columns"] = names
    return located


def circle_of(sources: "Table | None", options: argparse.Namespace) -> dict[str, str]:
    """Radius and near: as asked, else those of a study with a catalogue of unWISE's, or its own."""
    from mirimask.sources.catalogue import CATALOGUES, circle_sizes

    known = CATALOGUES["unwise"]
    columns = {} if sources is None else sources.meta["columns"]
    its = {known.id, known.ra, known.dec} == set(columns.values())
    sizes = circle_sizes(known.resolution_arcsec if its else None)
    return {name: getattr(options, name, None) or sizes[name] for name in ("radius", "near")}


def run_mask(options: argparse.Namespace, progress: Progress) -> None:
    outputs = {
        "--output": options.output,
        "--labels": options.labels,
        "--catalogue": options.catalogue,
        "--regions": options.regions,
    }
    inputs = [options.image, options.error, options.weight, options.segm, options.sources]
    check_outputs(outputs, inputs, overwrite=options.overwrite)
    from mirimask.masks.names import parse_method

    method = parse_method(options.method)
    with progress.step(f"reading {options.image}"):
        wanted = options.catalogue or options.regions or method.method == "segmentation"
        image = opened(options, error=bool(wanted))
    from mirimask.masks.make import make_mask, numbered_sources, segmentation_labels

    with progress.step(f"making the mask {method.name}"), about(options.image):
        segmentation: Any = options.segm
        if method.method == "segmentation":
            segmentation = segmentation_labels(image, options.segm)
        own = None
        if options.labels or options.catalogue or options.regions:
            own = numbered_sources(image, method.name)
        if own is not None:
            mask = own.sources > 0
        else:
            mask = make_mask(
                image,
                method.name,
                domain=options.domain,
                frame=whole_image(options, image),
                segmentation=segmentation,
            )
    if not mask.any():
        logging.getLogger("mirimask").warning(
            "'%s': the mask %s marks no pixel.", options.image, method.name
        )
    made = {"METHOD": method.name, "DOMAIN": options.domain if method.percent else None}
    writes = []
    if options.labels or options.catalogue or options.regions:
        writes += products(options, progress, image, mask, segmentation, own, made)
    if options.output:
        from mirimask.image.files import write_whole_mask

        write_whole_mask(options.output, mask, image, **made)
    for write in writes:
        write()
    if not options.quiet:
        share = 100 * mask.sum() / (~image.empty).sum()
        print(f"{method.name}: {mask.sum()} pixels, {share:.3g} % of the image", file=sys.stderr)


def products(
    options: argparse.Namespace,
    progress: Progress,
    image: "Frame",
    mask: Any,
    segmentation: Any,
    own: Any,
    made: dict[str, Any],
) -> list[Callable[[], None]]:
    """What writes labels, catalogue and regions, all made by then.

    They are those of the study's rule `export_mask`.
    """
    from mirimask.export.labels import label_hdus, label_mask
    from mirimask.image.own_files import write_hdus

    if own is not None:
        labels = own.sources
    else:
        kept = segmentation if made["METHOD"] == "segmentation" else None
        labels = label_mask(mask, segmentation=kept)
    writes: list[Callable[[], None]] = []
    if options.labels:
        hdus = label_hdus(
            labels,
            image,
            filename=Path(options.labels).name,
            detections=None if own is None else own.detections,
            **made,
        )
        writes.append(lambda: write_hdus(options.labels, hdus))
    if not (options.catalogue or options.regions):
        return writes
    from mirimask.export.ds9 import region_file
    from mirimask.export.photometry import measure_labels, provenance
    from mirimask.image.frame import pixels
    from mirimask.image.instrument import point_aperture

    sources = sources_on(options, options.sources, image) if options.sources else None
    size = circle_of(sources, options)["radius"]
    radius_px = pixels(size, image.pixel_scale, fwhm_px=image.fwhm_px)
    radius = round(radius_px * image.pixel_scale, 4)
    aperture = point_aperture(image.primary["FILTER"], image.pixel_scale)
    with progress.step("measuring the sources"):
        measured = measure_labels(
            image,
            labels,
            aperture=aperture,
            detections=None if own is None else own.detections,
            sources=sources,
            match_radius_arcsec=radius,
        )
    if options.catalogue:
        if sources is not None:
            made = {**made, "catalogue": Path(options.sources).name, "match_radius_arcsec": radius}
        measured.meta |= provenance(image, aperture, **made)

        def write_catalogue() -> None:
            with replacing(options.catalogue) as temporary:
                measured.write(temporary, format="ascii.ecsv")

        writes.append(write_catalogue)
    if options.regions:
        text = region_file(
            measured, image, verdicts=sources, radius_arcsec=radius, method=made["METHOD"]
        )
        writes.append(lambda: write_text(options.regions, text))
    return writes


def run_score(options: argparse.Namespace, progress: Progress) -> None:
    inputs = [options.image, options.error, options.weight, options.segm, options.catalogue]
    check_outputs({"--output": options.output}, inputs, overwrite=options.overwrite)
    from mirimask.masks.names import check_methods

    methods = [m.name for m in check_methods(options.method or ["recommended", "segmentation"])]
    with progress.step(f"reading {options.image}"):
        image = opened(options, error="segmentation" in methods)
        sources = sources_on(options, options.catalogue, image)
    verdicts = judged(options, progress, image, sources, methods)
    if options.output:
        with replacing(options.output) as temporary:
            verdicts.to_csv(temporary, index=False, float_format="%.10g")
    else:
        table = sources.to_pandas()[["id", "x", "y"]].round(1)
        for name in methods:
            table[name] = list(verdicts["verdict"][verdicts["method"] == name])
        if len(table):
            print(table.to_string(index=False), end="\n\n")
    if image.simulated:
        print("SIMULATED image")
    print(f"{len(sources)} sources")
    for name in methods:
        given = list(verdicts["verdict"][verdicts["method"] == name])
        counts = {verdict: given.count(verdict) for verdict in ("success", "near", "failure")}
        print(f"{name}: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))


def judged(
    options: argparse.Namespace,
    progress: Progress,
    image: "Frame",
    sources: "Table",
    methods: list[str],
) -> "pd.DataFrame":
    """A row for each method and source, with the settings of a study by default."""
    import pandas as pd

    from mirimask.image.frame import pixels
    from mirimask.masks.make import make_mask
    from mirimask.sources.peaks import reference_peaks
    from mirimask.sources.spots import label_spots
    from mirimask.sources.verdicts import peak_verdicts

    with progress.step("finding the reference peaks"), about(options.image):
        peaks = reference_peaks(
            image.data,
            image.empty,
            fwhm_px=image.fwhm_px,
            snr=options.snr,
            background_box_px=round(BACKGROUND_BOX_FWHM * image.fwhm_px),
        )
    circle = {
        f"{name}_px": pixels(size, image.pixel_scale, fwhm_px=image.fwhm_px)
        for name, size in circle_of(sources, options).items()
    }
    table = sources.to_pandas()
    x, y = table["x"].to_numpy(float), table["y"].to_numpy(float)
    frame, parts = whole_image(options, image), []
    for name in methods:
        with progress.step(f"judging {name}"), about(options.image):
            mask = make_mask(
                image, name, domain=options.domain, frame=frame, segmentation=options.segm
            )
            spots = label_spots(mask, peaks, min_pixels=1, tolerance_px=image.fwhm_px)
            verdicts = peak_verdicts(x, y, spots, peaks, **circle)
        parts.append(pd.concat([table.assign(method=name), verdicts], axis=1))
    return pd.concat(parts, ignore_index=True)


# label and unit of what `stats` prints
STATISTICS = {
    "principal_investigator": ("Principal investigator", ""),
    "observation_id": ("OBS_ID", ""),
    "obs_date": ("Date", ""),
    "effective_exposure_s": ("Effective exposure", "s"),
    "guide_star_id": ("Guide star", ""),
    "guide_star_ra_deg": ("Guide star RA", "deg"),
    "guide_star_dec_deg": ("Guide star Dec", "deg"),
    "filter": ("Filter", ""),
    "shape": ("Rows, columns", "px"),
    "n_empty": ("Empty pixels", ""),
    "pixel_scale_arcsec": ("Pixel scale", "arcsec"),
    "psf_fwhm_px": ("PSF FWHM", "px"),
    "min": ("Minimum", "MJy/sr"),
    "max": ("Maximum", "MJy/sr"),
    "mean": ("Mean", "MJy/sr"),
    "median": ("Median", "MJy/sr"),
    "variance": ("Variance", "(MJy/sr)^2"),
    "skewness": ("Skewness", ""),
    "kurtosis": ("Kurtosis", ""),
}


def run_stats(options: argparse.Namespace, progress: Progress) -> None:
    with progress.step(f"reading {options.image}"):
        image = opened(options)
    from mirimask.image.statistics import describe, identify

    row: dict[str, Any] = {
        "simulated": image.simulated,
        **identify(image.primary),
        "filter": image.primary["FILTER"],
        "shape": list(image.data.shape),
        "n_empty": int(image.empty.sum()),
        "pixel_scale_arcsec": image.pixel_scale,
        "psf_fwhm_px": image.fwhm_px,
        **describe(image.data if options.count_empty else image.masked),
    }
    if options.json:
        print(json.dumps(row, indent=1))
        return
    if image.simulated:
        print("SIMULATED: not observed by JWST")
    for key, (label, unit) in STATISTICS.items():
        value = row[key]
        if isinstance(value, float):
            value = f"{value:.7g}"
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        shown = "not in the header" if value is None else f"{value} {unit}".rstrip()
        print(f"{label:24}{shown}")


def one_line(text: object) -> str:
    """A message without line breaks or control characters, which a file's name may hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


class _Warnings(logging.Handler):
    """The library's warnings, one line each."""

    def emit(self, record: logging.LogRecord) -> None:
        print(
            f"mirimask: {record.levelname.lower()}: {one_line(record.getMessage())}",
            file=sys.stderr,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is as the module says."""
    try:
        options = parser().parse_args(arguments)
        if options.command == "mask" and not (
            options.output or options.labels or options.catalogue or options.regions
        ):
            parser().error("mask: nothing to write; give -o, --labels, --catalogue or --regions")
    except SystemExit as stop:
        return int(stop.code or 0)
    handler, logger = _Warnings(logging.WARNING), logging.getLogger("mirimask")
    if options.quiet:
        handler.setLevel(logging.CRITICAL)
    logger.addHandler(handler)
    progress = Progress(shown=not options.quiet and sys.stderr.isatty())
    run = {"mask": run_mask, "score": run_score, "stats": run_stats}[options.command]
    try:
        with warnings.catch_warnings():
            # numpy's, of pixels of 1e38: no person can act on a line of this code
            warnings.simplefilter("ignore", RuntimeWarning)
            run(options, progress)
        sys.stdout.flush()
    except BrokenPipeError:  # `mirimask score ... | head`: not an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("mirimask: interrupted", file=sys.stderr)
        return 130
    except (MaskError, OSError) as error:
        print(f"mirimask: error: {one_line(error)}", file=sys.stderr)
        return 1
    except Exception as error:  # a fault of the program: what it was, and with which file
        cause = f"{type(error).__name__}: {error}"
        print(
            f"mirimask: error: '{one_line(options.image)}' cannot be worked on "
            f"({one_line(cause)[:300]}); this is a fault of mirimask, please report it",
            file=sys.stderr,
        )
        return 1
    finally:
        logger.removeHandler(handler)
    return 0

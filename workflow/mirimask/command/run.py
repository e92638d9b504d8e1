"""`mirimask` on the command line: images without a study.

Exit status 0: done; 1: something is wrong with a file, said in one line (of several images, the
others are made); 2: wrong usage; 130: interrupted (143 by SIGTERM). Results go to the files named
or to standard output, everything else to standard error. Heavy imports stand in the functions:
`mirimask --help` must not wait for them.
"""

import argparse
import json
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from mirimask.atomic import ENDS
from mirimask.command.inputs import (
    about,
    at_hand,
    circle_of,
    opened,
    radius_px,
    sources_on,
    whole_image,
)
from mirimask.command.masks import check_segm, run_mask, write_out
from mirimask.command.new_study import run_new_study
from mirimask.command.outputs import OUTPUTS, STDOUT, Output, check_outputs, check_suffix
from mirimask.command.parser import parser
from mirimask.command.project import run_project
from mirimask.command.speech import Progress, Said, fault, one_line
from mirimask.errors import MaskError

if TYPE_CHECKING:
    import pandas as pd
    from astropy.table import Table

    from mirimask.image.frame import Frame

__all__ = ["main"]

_logger = logging.getLogger("mirimask")
BACKGROUND_BOX_FWHM = 10  # of the reference peaks, as in a study (peaks.background_box)


SCORES = Output("-o", "verdicts are a CSV table", (".csv",), "_verdicts.csv", True, folder=False)


def run_score(options: argparse.Namespace, progress: Progress, said: Said) -> int:
    files = [("-o", options.output), ("--regions", options.regions)]
    kinds = (SCORES, OUTPUTS["regions"])
    for (_, name), kind in zip(files, kinds, strict=True):
        if name:
            check_suffix(name, kind, kinds)
    inputs = [options.image, options.error, options.weight, options.segm, options.catalogue]
    if options.json:
        files.append(("--json", STDOUT))
    check_outputs(files, inputs, overwrite=options.overwrite)
    from mirimask.masks.names import check_methods, leaves
    from mirimask.sources.verdicts import VERDICTS
    from mirimask.table_files import as_csv, write_csv

    methods = [m.name for m in check_methods(options.method or ["recommended", "segmentation"])]
    check_segm(options.segm, methods)
    with at_hand(options, said, image=options.image, catalogue=options.catalogue) as local:
        with progress.step(f"reading {options.image}"):
            made_of = {leaf.method for name in methods for leaf in leaves(name)}
            image = opened(local, error="segmentation" in made_of)
            sources = sources_on(local, local.catalogue, image)
        with about(options.image):
            verdicts = judged(local, progress, image, sources, methods)
    radius = radius_px(sources, options, image)
    _say_what_was_not_observed(options, image, sources, radius)
    given = {name: list(verdicts["verdict"][verdicts["method"] == name]) for name in methods}
    counts = {
        name: {verdict: of.count(verdict) for verdict in VERDICTS} for name, of in given.items()
    }
    if options.regions:
        write_out(options.regions, regions(image, sources, given, radius))
    if options.output == STDOUT:
        sys.stdout.write(as_csv(verdicts, digits=10))
    elif options.output:
        write_csv(options.output, verdicts, digits=10)
    if options.json:
        columns = ["method", "id", "x", "y", "x_frame", "y_frame", "verdict"]
        found = verdicts[columns].to_dict("records")
        about_all = {"simulated": image.simulated, "n_sources": len(sources), "methods": counts}
        print(json.dumps({**about_all, "verdicts": found}, indent=1))
    if options.json or STDOUT in (options.output, options.regions):
        return 0
    if not options.output:
        table = sources.to_pandas()[["id", "x", "y"]].round(1)
        for name in methods:
            table[name] = given[name]
        if len(table):
            print(table.to_string(index=False), end="\n\n")
    if image.simulated:
        print("SIMULATED image")
    plural = "" if len(sources) == 1 else "s"
    print(f"{len(sources)} source{plural}, circles of {radius:.3g} px")
    for name in methods:
        shown = ", ".join(f"{count} {verdict}" for verdict, count in counts[name].items())
        print(f"{name}: {shown}")
    return 0


def _say_what_was_not_observed(
    options: argparse.Namespace, image: "Frame", sources: "Table", radius: float
) -> None:
    import numpy as np

    from mirimask.sources.verdicts import not_observed

    x, y = (np.asarray(sources[axis], float) for axis in "xy")
    beyond = int(not_observed(x, y, image.empty, radius_px=radius).sum())
    if beyond:
        _logger.warning(
            "'%s': around %d of the %d sources of '%s' nothing was observed; they count as "
            "failures. Leave them out of the catalogue, or take a part of the image (--crop).",
            *(options.image, beyond, len(sources), options.catalogue),
        )


def regions(image: "Frame", sources: "Table", given: dict[str, list[str]], radius: float) -> str:
    """Regions of the sources, in the colours of their verdicts by the first of the methods."""
    from astropy.table import Table

    from mirimask.export.ds9 import region_file

    first = next(iter(given))
    judged_sources = sources.copy()
    judged_sources["verdict"] = given[first]
    return region_file(
        Table(),
        image,
        verdicts=judged_sources,
        radius_arcsec=round(radius * image.pixel_scale, 4),
        method=first,
    )


def judged(
    options: argparse.Namespace,
    progress: Progress,
    image: "Frame",
    sources: "Table",
    methods: list[str],
) -> "pd.DataFrame":
    """A row for each method and source; the defaults are the command's own, not a study's."""
    import pandas as pd

    from mirimask.image.frame import pixels
    from mirimask.masks.make import make_mask
    from mirimask.sources.peaks import reference_peaks
    from mirimask.sources.spots import label_spots
    from mirimask.sources.verdicts import peak_verdicts, smallest_spot_px

    with progress.step("finding the reference peaks"):
        peaks = reference_peaks(
            image.data,
            image.empty,
            fwhm_px=image.fwhm_px,
            snr=options.snr,
            background_box_px=round(BACKGROUND_BOX_FWHM * image.fwhm_px),
        )
    if peaks.empty:
        _logger.warning(
            "'%s': no bright point of the image is above a S/N of %g, so no mask can mark one, and "
            "every source is a failure. Give a lower --snr.",
            *(options.image, options.snr),
        )
    circle = {
        f"{name}_px": pixels(size, image.pixel_scale, fwhm_px=image.fwhm_px)
        for name, size in circle_of(sources, options).items()
    }
    table = sources.to_pandas()
    x, y = table["x"].to_numpy(float), table["y"].to_numpy(float)
    for axis, first in (("x", image.origin[1]), ("y", image.origin[0])):
        table[f"{axis}_frame"] = (table[axis] + first).round(4)
    smallest = smallest_spot_px(options.smallest_spot, image)
    frame, parts = whole_image(options, image, methods), []
    for name in methods:
        with progress.step(f"judging {name}"):
            mask = make_mask(
                image, name, domain=options.domain, frame=frame, segmentation=options.segm
            )
            spots = label_spots(mask, peaks, min_pixels=1, tolerance_px=image.fwhm_px)
            verdicts = peak_verdicts(x, y, spots, peaks, **circle, smallest_px=smallest)
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


def run_stats(options: argparse.Namespace, progress: Progress, said: Said) -> int:
    with (
        at_hand(options, said, image=options.image) as local,
        progress.step(f"reading {options.image}"),
    ):
        image = opened(local)
    from mirimask.image.statistics import describe, identify

    row: dict[str, Any] = {
        "simulated": image.simulated,
        **identify(image.primary),
        "filter": image.primary.get("FILTER"),
        "shape": list(image.data.shape),
        "n_empty": int(image.empty.sum()),
        "pixel_scale_arcsec": image.pixel_scale,
        "psf_fwhm_px": image.fwhm_px,
        **describe(image.data if options.count_empty else image.masked),
    }
    if options.json:
        print(json.dumps(row, indent=1))
        return 0
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
    return 0


RUN: dict[str, Callable[..., int]] = {
    "mask": run_mask,
    "project": run_project,
    "score": run_score,
    "stats": run_stats,
    "new-study": run_new_study,
}


def _ended(number: int, _: object) -> NoReturn:
    for each in ENDS:  # once is enough
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


@contextmanager
def _leaving_nothing_behind() -> Iterator[None]:
    """When a scheduler or a terminal ends it, what is half written is taken away, as by Ctrl-C."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in ENDS}
    mine = [number for number, handler in before.items() if handler == signal.SIG_DFL]
    for number in mine:
        signal.signal(number, _ended)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is as the module says."""
    # numpy's matrices here are so small that its threads take more time than they save
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        options = parser().parse_args(arguments)
        nothing = options.command == "mask" and not options.json
        if nothing and all(getattr(options, key) is None for key in OUTPUTS):
            shown = ", ".join(output.option for output in OUTPUTS.values())
            parser().error(f"mask: nothing to write; give one of {shown}, or --json")
    except SystemExit as stop:
        return int(stop.code or 0)
    for name in ("stdout", "stderr"):  # closed by who calls: >&-
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    said, logger = Said(quiet=options.quiet), logging.getLogger("mirimask")
    logger.addHandler(said)
    progress = Progress(shown=not options.quiet and sys.stderr.isatty())
    try:
        with _leaving_nothing_behind(), warnings.catch_warnings():
            # numpy's, of pixels of 1e38: no person can act on a line of this code
            warnings.simplefilter("ignore", RuntimeWarning)
            status = RUN[options.command](options, progress, said)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `mirimask score ... | head`: not an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("mirimask: interrupted", file=sys.stderr)
        return 130
    except (MaskError, OSError) as error:
        print(f"mirimask: error: {one_line(error)}", file=sys.stderr)
        return 1
    except Exception as error:  # a fault of the program
        given = vars(options)
        image = given.get("image") or (given.get("images") or given.get("onto") or [""])[0]
        print(f"mirimask: error: {fault(image, error)}", file=sys.stderr)
        return 1
    finally:
        logger.removeHandler(said)

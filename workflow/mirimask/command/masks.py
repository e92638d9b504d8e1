"""`mirimask mask`: masks of one image or of many, and files of them for other software."""

import argparse
import io
import json
import logging
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirimask.atomic import replacing, write_text
from mirimask.command.inputs import about, at_hand, opened, radius_px, sources_on, whole_image
from mirimask.command.outputs import OUTPUTS, STDOUT, check_outputs, is_folder, placed
from mirimask.command.speech import Progress, Said, fault, one_line
from mirimask.errors import MaskError

if TYPE_CHECKING:
    from mirimask.image.frame import Frame

__all__ = ["check_segm", "mask_table", "row_or_failure", "run_mask", "write_out"]

_logger = logging.getLogger("mirimask")

_USUAL_WIDTHS = (1.0, 20.0)  # of a PSF in pixels
_LEAST_SKY = 0.2  # of the observed pixels: with less, the width that was given may be wrong


def run_mask(options: argparse.Namespace, progress: Progress, said: Said) -> int:
    """Mask every image; the exit status is 1 where one of several failed, the others are made."""
    from mirimask.masks.names import parse_method

    method = parse_method(options.method).name
    check_segm(options.segm, [method])
    if options.sources and options.catalogue is None and options.regions is None:
        raise MaskError(
            f"--sources '{options.sources}' is matched in --catalogue and drawn in --regions; add "
            "one of them, or leave --sources out."
        )
    for name in ("radius", "id", "ra", "dec"):
        if getattr(options, name) and not options.sources:
            raise MaskError(
                f"--{name} is about the catalogue behind --sources, and there is none; add it, or "
                f"leave --{name} out."
            )
    images = options.images
    files = placed({key: getattr(options, key) for key in OUTPUTS}, images)
    many = len(images) > 1
    outputs = [(OUTPUTS[key].option, path) for paths in files for key, path in paths.items()]
    check_outputs(
        [*outputs, ("--json", STDOUT if options.json else None)],
        [*images, options.error, options.weight, options.segm, options.sources],
        overwrite=options.overwrite,
        into_folder=many or not options.output or is_folder(options.output),
    )
    if many:
        for name in ("error", "weight", "segm"):
            if getattr(options, name):
                raise MaskError(f"--{name} is of one image, and there are {len(images)}.")
    if not many:
        rows = [mask_image(options, images[0], files[0], method, progress, said)]
    elif options.cores > 1:
        rows = rows_several_at_a_time(options, files, method, progress)
    else:
        rows = []
        for number, (image, paths) in enumerate(zip(images, files, strict=True), start=1):
            progress.prefix = f"[{number}/{len(images)}] "
            rows.append(mask_or_failure(options, image, paths, method, progress, said))
    if options.json:
        print(json.dumps(rows if many else rows[0], indent=1))
    elif many:
        print(summary(rows))
    elif not options.quiet:
        print(in_words(rows[0]) + circles_in_words(rows[0]), file=sys.stderr)
    failed = [row for row in rows if row.get("error")]
    if failed and not options.quiet:
        print(f"mirimask: {len(failed)} of {len(rows)} images failed", file=sys.stderr)
    return 1 if failed else 0


def check_segm(segm: str | None, methods: list[str]) -> None:
    """MaskError for a segmentation image that none of the methods is made from."""
    from mirimask.masks.names import leaves

    if segm and all(leaf.method != "segmentation" for name in methods for leaf in leaves(name)):
        raise MaskError(
            f"--segm '{segm}' is the mask of the method segmentation, and --method is "
            f"{' and '.join(methods)}; give --method segmentation, or leave --segm out."
        )


def rows_several_at_a_time(
    options: argparse.Namespace, files: list[dict[str, str]], method: str, progress: Progress
) -> list[dict[str, Any]]:
    """The rows of all images, of which `options.cores` are worked on at a time."""
    # what every image needs, once for all processes
    import mirimask.export.labels
    import mirimask.export.survey
    import mirimask.image.files
    import mirimask.masks.make  # noqa: F401
    from mirimask.command.processes import several_at_a_time

    images: list[str] = options.images
    rows: list[dict[str, Any]] = []
    jobs = [(options, image, paths, method) for image, paths in zip(images, files, strict=True)]
    for made in several_at_a_time(row_and_words, jobs, cores=options.cores):
        image = images[len(rows)]
        if isinstance(made, MaskError):
            text = f"'{image}': {made}"
            row = {"image": image, "method": method, "error": text, "warnings": []}
            words = f"mirimask: error: {text}\n"
        else:
            row, words = made
        rows.append(row)
        progress.done(f"[{len(rows)}/{len(images)}] {image}")
        sys.stderr.write(words)
    return rows


def row_and_words(
    options: argparse.Namespace, image: str, paths: dict[str, str], method: str
) -> tuple[dict[str, Any], str]:
    """The row of an image, made in a process of its own, and what is said of it beside."""
    said, logger = Said(quiet=options.quiet), logging.getLogger("mirimask")
    logger.handlers = [said]  # a fork has that of the command
    with redirect_stderr(io.StringIO()) as words, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # as in the command
        row = mask_or_failure(options, image, paths, method, Progress(shown=False), said)
    return row, words.getvalue()


def mask_or_failure(
    options: argparse.Namespace,
    image: str,
    paths: dict[str, str],
    method: str,
    progress: Progress,
    said: Said,
) -> dict[str, Any]:
    """The row of an image; where it fails, one that says why."""

    def row() -> dict[str, Any]:
        return mask_image(options, image, paths, method, progress, said)

    return row_or_failure(row, image, said, method=method)


def row_or_failure(
    row: Callable[[], dict[str, Any]], image: str, said: Said, **known: str
) -> dict[str, Any]:
    """What `row` gives of one of several images; where it fails, what is `known`, and why."""
    try:
        return row()
    except (MaskError, OSError) as error:
        text = one_line(error)
    except Exception as error:  # a fault of the program, or memory: the others go on
        text = fault(image, error)
    print(f"mirimask: error: {text}", file=sys.stderr)
    return {"image": image, **known, "error": text, "warnings": said.taken()}


def mask_image(
    options: argparse.Namespace,
    address: str,
    paths: dict[str, str],
    method: str,
    progress: Progress,
    said: Said,
) -> dict[str, Any]:
    """Make the mask of an image and its files; what the summary says of it.

    Files are written when all of them are made, the mask first.
    """
    from mirimask.masks.names import leaves

    said.taken()
    with at_hand(options, said, image=address) as local:
        with progress.step(f"reading {address}"):
            for_mask = "segmentation" in {leaf.method for leaf in leaves(method)}
            error = for_mask or bool({"catalogue", "regions"} & set(paths))
            image = opened(local, error=error, in_file=not for_mask)
        with about(address):
            return made(local, address, image, paths, method, progress, said)


def made(
    options: argparse.Namespace,
    address: str,
    image: "Frame",
    paths: dict[str, str],
    method: str,
    progress: Progress,
    said: Said,
) -> dict[str, Any]:
    """`mask_image` once the image is read; `options` are those with paths on this disk."""
    import numpy as np

    from mirimask.export.labels import label_mask
    from mirimask.export.survey import measure_image
    from mirimask.image.instrument import FILTERS, LEAST_CIRCLE_PX, band_of
    from mirimask.image.own_files import warn_of_a_mask
    from mirimask.masks.make import make_masks, numbered_sources, segmentation_labels
    from mirimask.masks.names import parse_method

    with progress.step(f"making the mask {method}"):
        cores = bool({"labels", "catalogue", "regions"} & set(paths))
        own, segmentation = numbered_sources(image, method, cores=cores), options.segm
        if method == "segmentation":
            segmentation = segmentation_labels(image, options.segm)
            if options.segm:
                warn_of_a_mask(segmentation, what=f"--segm '{options.segm}'")
        if own is not None:
            labels = own.sources
        else:
            mask, threshold = make_masks(
                image,
                [method],
                domain=options.domain,
                frame=whole_image(options, image, [method]),
                segmentation=segmentation,
            )[method]
            # a segmentation of one's own may mark what was not observed, as no source is
            unseen = int(np.count_nonzero(mask & image.empty)) if segmentation is not None else 0
            if unseen:
                _logger.warning(
                    "'%s': the mask %s marks %d pixels where nothing was observed; they are taken "
                    "off.",
                    *(address, method, unseen),
                )
                mask = mask & ~image.empty
            kept = segmentation if method == "segmentation" else None
            labels = label_mask(mask, segmentation=kept)
    n_masked = int(np.count_nonzero(labels))
    left = 1 - n_masked / max(1, int(np.count_nonzero(~image.empty)))
    low, high = _USUAL_WIDTHS
    odd = own is not None and (options.fwhm is not None or not low <= image.fwhm_px <= high)
    if not n_masked or (odd and left < _LEAST_SKY):
        marks = "marks no pixel"
        if n_masked:
            marks = f"leaves {100 * left:.0f} % of the observed pixels for the sky"
        if odd:
            given = "--fwhm is" if options.fwhm is not None else "its filter and its pixels are"
            marks += f"; its PSF is {image.fwhm_px:.3g} pixels wide, see whether {given} right"
        _logger.warning("'%s': the mask %s %s.", address, method, marks)
    aperture = image.point_aperture
    if aperture.correction != aperture.correction:
        why, (instrument, band) = "is known for its filter", band_of(image.primary)
        if instrument == "MIRI" and band in FILTERS:
            why = (
                f"is used in pixels of {image.pixel_scale:.3g} arcsec, for the circle of {band} "
                f"has a radius below {LEAST_CIRCLE_PX:g} of them"
                if options.fwhm is None
                else f"is used with --fwhm, for that of {band} is of the filter's own PSF"
            )
        _logger.warning(
            "'%s': no aperture correction %s; there is no depth, and point_flux is NaN.",
            *(address, why),
        )
    with progress.step("measuring the depth"):
        measured = measure_image(image, labels, aperture=aperture)
    cards: dict[str, Any] = {"METHOD": method, "DOMAIN": _domain(options, method)}
    name = parse_method(method)
    if name.is_slice:
        cards |= {"PERCENT": name.percent, "THRESH": threshold}
    writes, radius = products(options, progress, image, labels, own, paths, cards)
    row = {
        "image": address,
        "method": method,
        "simulated": image.simulated,
        "n_masked": n_masked,
        **{key: None if value != value else value for key, value in measured.items()},
    }
    if radius is not None:
        row["match_radius_arcsec"] = radius
    if "plot" in paths:
        path = paths["plot"]
        writes.append((path, picture(image, labels > 0, in_words(row), path)))
    if "output" in paths:
        from mirimask.image.files import write_whole_mask

        write_whole_mask(paths["output"], labels, image, **cards)
    # what reads standard output may end early, and with it this
    for _, write in sorted(writes, key=lambda one: one[0] == STDOUT):
        write()
    return {**row, "files": paths, "warnings": said.taken()}


def _domain(options: argparse.Namespace, method: str) -> str | None:
    """The domain of the slices of a mask; None where it has none, or those of both."""
    from mirimask.masks.names import leaves

    domains = {leaf.domain or options.domain for leaf in leaves(method) if leaf.is_slice}
    return domains.pop() if len(domains) == 1 else None


def products(
    options: argparse.Namespace,
    progress: Progress,
    image: "Frame",
    labels: Any,
    own: Any,
    paths: dict[str, str],
    cards: dict[str, Any],
) -> tuple[list[tuple[str, Callable[[], None]]], float | None]:
    """Paths and what writes labels, catalogue and regions there, all made by then; and the radius.

    They are those of the study's rule `export_mask`. The radius in use, in arcsec, is that of the
    circles around the sources of a catalogue; None without one.
    """
    detections = None if own is None else own.detections
    writes: list[tuple[str, Callable[[], None]]] = []
    if "labels" in paths:
        from mirimask.export.labels import write_labels

        given = dict(cards)  # those of the catalogue are added to them
        path = paths["labels"]
        writes.append(
            (path, lambda: write_labels(path, labels, image, detections=detections, **given))
        )
    if "catalogue" not in paths and "regions" not in paths:
        return writes, None
    from mirimask.export.ds9 import region_file
    from mirimask.export.photometry import measure_labels, provenance

    sources = sources_on(options, options.sources, image) if options.sources else None
    radius = round(radius_px(sources, options, image) * image.pixel_scale, 4)
    aperture = image.point_aperture
    with progress.step("measuring the sources"):
        measured = measure_labels(
            image,
            labels,
            aperture=aperture,
            detections=detections,
            sources=sources,
            match_radius_arcsec=radius,
        )
    if "catalogue" in paths:
        if sources is not None:
            cards = {
                **cards,
                "catalogue": Path(options.sources).name,
                "match_radius_arcsec": radius,
            }
        measured.meta |= provenance(image, aperture, **cards)
        to = paths["catalogue"]
        writes.append((to, lambda: write_table(measured, to)))
    if "regions" in paths:
        text = region_file(
            measured, image, verdicts=sources, radius_arcsec=radius, method=cards["METHOD"]
        )
        regions = paths["regions"]
        writes.append((regions, lambda: write_out(regions, text)))
    return writes, None if sources is None else radius


def write_out(path: str, text: str) -> None:
    """Write a text to a file, or to standard output."""
    if path == STDOUT:
        sys.stdout.write(text)
    else:
        write_text(path, text)


def write_table(table: Any, path: str) -> None:
    """Write a table as its suffix says: ECSV, or CSV without what ECSV keeps of units."""
    if path == STDOUT:
        table.write(sys.stdout, format="ascii.ecsv")
        return
    with replacing(path) as temporary:
        table.write(temporary, format="ascii.csv" if temporary.suffix == ".csv" else "ascii.ecsv")


def picture(image: "Frame", mask: Any, numbers: str, path: str) -> Callable[[], None]:
    """What writes the quick-look."""
    from mirimask.image.levels import percentile_limits

    try:
        from mirimask.figures.quick_look import quick_look
        from mirimask.figures.style import save_figure
    except ModuleNotFoundError as error:
        raise MaskError(
            f"--plot needs the Python package {error.name}: pip install 'mirimask[figures]'."
        ) from None
    figure = quick_look(
        image.masked,
        mask,
        title=str(image.primary.get("IMAGE", "")),
        numbers=numbers,
        limits=percentile_limits(image.masked, (1.0, 99.0)),
        simulated=image.simulated,
    )
    return lambda: save_figure(figure, png=path)


### the summary ####################################################################################


def in_words(row: dict[str, Any]) -> str:
    """What is said of one image: the mask, its sources, the sky and the depth."""
    from mirimask.masks.names import spots_or_sources

    text = (
        f"{row['method']}: {row['n_masked']} pixels, {100 * row['masked_share']:.3g} % of those "
        f"observed; {row['n_sources']} {spots_or_sources(row['method'], row['n_sources'])}"
    )
    if row["background"] is not None:
        text += f"; sky {row['background']:.4g} MJy/sr"
    if row["depth_ab"] is not None:
        text += f"; 5 sigma at {row['depth_ab']:.2f} AB"
    return text


def circles_in_words(row: dict[str, Any]) -> str:
    """How large the circles are that the catalogue's sources were matched in, where they were."""
    radius = row.get("match_radius_arcsec")
    return "" if radius is None else f"; circles of {radius:.3g} arcsec"


def summary(rows: list[dict[str, Any]]) -> str:
    """The summary of several images."""
    from mirimask.masks.names import spots_or_sources

    shown = []
    for row in rows:
        sky, depth = row.get("background"), row.get("depth_ab")
        cells = {"sky": "-" if sky is None else f"{sky:.4g}"}
        cells["depth"] = "-" if depth is None else f"{depth:.2f}"
        if not row.get("error"):
            cells["area"] = f"{100 * row['masked_share']:.2f}"
        shown.append({**row, **cells})
    heads = {
        "image": "image",
        "area": "area %",
        "n_sources": spots_or_sources(rows[0]["method"]),
        "sky": "sky MJy/sr",
        "depth": "5 sigma AB",
    }
    return mask_table(shown, heads)


def mask_table(rows: list[dict[str, Any]], heads: dict[str, str]) -> str:
    """A line for each image with the columns of `heads` and its number of warnings.

    Below it are the warnings and what went wrong, by image.
    """
    lines = [[*heads.values(), "warnings"]]
    for row in rows:
        cells = [str(row.get(key, "")) for key in heads]
        cells[0] = Path(row["image"]).name + (" (SIMULATED)" if row.get("simulated") else "")
        if row.get("error"):
            cells[1:] = ["failed", *[""] * (len(cells) - 2)]
        lines.append([*cells, str(len(row["warnings"]))])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    for row in rows:
        name = Path(row["image"]).name
        shown += [f"{name}: {text}" for text in row["warnings"]]
        shown += [f"{name}: failed: {row['error']}"] if row.get("error") else []
    return "\n".join(shown)

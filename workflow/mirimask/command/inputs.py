"""What a subcommand is given: images, catalogues and other files, on this disk or at an address."""

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mirimask.command.speech import Said
from mirimask.errors import MaskError

if TYPE_CHECKING:
    from astropy.table import Table

    from mirimask.image.frame import Frame

__all__ = [
    "SETTINGS",
    "about",
    "at_hand",
    "circle_of",
    "opened",
    "radius_px",
    "sources_on",
    "whole_image",
]

ADDRESSES = ("http://", "https://", "s3://", "mast:")
FILES = ("error", "weight", "segm", "sources")  # options that name a file
# what the settings of an image are called here
SETTINGS = {
    "crop": "--crop, or leave it out",
    "filter_name": "--filter F770W",
    "fwhm_arcsec": "--fwhm 0.15arcsec",
    "pixel_unit": "--pixel-unit",
    "weight": "--weight",
}


@contextmanager
def at_hand(
    options: argparse.Namespace, said: Said, **files: str | None
) -> Iterator[argparse.Namespace]:
    """The options with paths on this disk in place of addresses, whose files are fetched.

    They are those in `FILES` and the `files` given by name. What was fetched is gone afterwards,
    unless `--downloads` keeps it. Errors and warnings say the address.
    """
    given = {name: getattr(options, name, None) for name in FILES} | files
    addresses = [str(name) for name in given.values() if str(name).startswith(ADDRESSES)]
    if not addresses:
        yield argparse.Namespace(**{**vars(options), **given})
        return
    try:
        from mirimask.archive.addresses import local_copies
    except ModuleNotFoundError as error:
        raise MaskError(
            f"'{addresses[0]}': an address needs the Python package {error.name}: "
            "pip install 'mirimask[archive]'."
        ) from None
    with local_copies(addresses, folder=options.downloads) as fetched:
        said.names = {path: address for address, path in fetched.items()}
        local = {name: fetched.get(str(value), value) for name, value in given.items()}
        try:
            yield argparse.Namespace(**{**vars(options), **local})
        except MaskError as error:
            raise MaskError(said.named(str(error))) from None
        finally:
            said.names = {}


@contextmanager
def about(path: str) -> Iterator[None]:
    """Errors name the image."""
    try:
        yield
    except MaskError as error:
        raise MaskError(str(error) if path in str(error) else f"'{path}': {error}") from None


def opened(options: argparse.Namespace, *, error: bool = True, in_file: bool = False) -> "Frame":
    """The image of the options, with its errors where they are wanted; those of a mosaic `in_file`.

    There they stay (see `own_files.read_planes`).
    """
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
        in_file=in_file,
        fwhm_arcsec=options.fwhm,
        settings=SETTINGS,
    )


def whole_image(options: argparse.Namespace, image: "Frame", methods: Iterable[str]) -> Any:
    """The frame beyond the crop, empty pixels NaN, where one of the methods is of it; else None."""
    from mirimask.masks.names import leaves

    if not any(leaf.needs_frame(options.domain) for name in methods for leaf in leaves(name)):
        return None
    if options.crop is None:
        return image.masked
    return opened(argparse.Namespace(**{**vars(options), "crop": None})).masked


def sources_on(options: argparse.Namespace, path: str, image: "Frame") -> "Table":
    """The catalogue's sources on the image, its columns those in use where none is named."""
    from mirimask.sources.catalogue import is_unwise, locate_sources
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
    located.meta["unwise"] = is_unwise(table)
    return located


def circle_of(sources: "Table | None", options: argparse.Namespace) -> dict[str, str]:
    """Radius and near: as asked, else those of a study with a catalogue of unWISE's, or its own."""
    from mirimask.sources.catalogue import CATALOGUES, circle_sizes

    its = sources is not None and sources.meta["unwise"]
    sizes = circle_sizes(CATALOGUES["unwise"].resolution_arcsec if its else None)
    return {name: getattr(options, name, None) or sizes[name] for name in ("radius", "near")}


def radius_px(sources: "Table | None", options: argparse.Namespace, image: "Frame") -> float:
    """The radius of `circle_of` in pixels of the image."""
    from mirimask.image.frame import pixels

    size = circle_of(sources, options)["radius"]
    return pixels(size, image.pixel_scale, fwhm_px=image.fwhm_px)

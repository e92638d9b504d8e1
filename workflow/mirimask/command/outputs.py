"""What a subcommand writes, and where: checked before any work is done."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mirimask.addresses import file_name
from mirimask.errors import MaskError

__all__ = [
    "BESIDE",
    "OUTPUTS",
    "STDOUT",
    "Output",
    "check_outputs",
    "check_suffix",
    "is_folder",
    "placed",
]

BESIDE = ""  # the value of an option without one: beside the mask
STDOUT = "-"


class Output(NamedTuple):
    """An option that writes: what it is, the names it may have, and its ending in a folder."""

    option: str
    what: str
    suffixes: tuple[str, ...]
    ending: str
    text: bool = False  # may go to standard output
    folder: bool = True  # or may be one, for files named after the images


OUTPUTS = {
    "output": Output("-o", "a mask is a FITS file", (".fits", ".fits.gz"), "_mask.fits"),
    "labels": Output("--labels", "labels are a FITS file", (".fits", ".fits.gz"), "_labels.fits"),
    "catalogue": Output(
        "--catalogue", "a catalogue is ECSV or CSV", (".ecsv", ".csv"), "_sources.ecsv", True
    ),
    "regions": Output("--regions", "regions are DS9's", (".reg",), "_sources.reg", True),
    "plot": Output("--plot", "the picture is a PNG", (".png",), "_mask.png"),
}


_SUFFIXES = tuple(suffix for output in OUTPUTS.values() for suffix in output.suffixes)


def check_suffix(name: str, output: Output, kinds: Iterable[Output]) -> None:
    """MaskError for a name that is not of its kind, with which of the command's `kinds` to use."""
    if name == STDOUT and output.text:
        return
    if name == STDOUT:
        raise MaskError(f"{output.option} -: {output.what}, which is not for a terminal; name one.")
    if name.lower().endswith(output.suffixes):
        return
    path = Path(name)
    good = path.with_suffix(output.suffixes[0]) if path.name else path
    other = next(
        (
            f", and for {path.suffix} use {kind.option} {name}"
            for kind in kinds
            if kind is not output and path.suffix and path.suffix in kind.suffixes
        ),
        "",
    )
    folder = f", or {name}/ for a folder" if not path.suffix and output.folder else ""
    raise MaskError(f"{output.option} '{name}': {output.what}; name it {good}{folder}{other}.")


def stem_of(image: str) -> str:
    """What the files of an image are called by: its name without _i2d and what follows."""
    if "://" in image:
        image = file_name(image)
    name = image.rstrip("/").replace("\\", "/").rpartition("/")[2].rpartition(":")[2]
    for ending in (".gz", ".bz2", ".xz", ".fz", ".fits", ".fit", ".asdf", "_i2d"):
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    return name or "image"


def placed(
    given: dict[str, str | None], images: list[str], kinds: dict[str, Output] = OUTPUTS
) -> list[dict[str, str]]:
    """For each image, the file of each output that is asked for: {output: path or '-'}.

    `given` are the values of the options by their keys in `kinds`. A folder, which every value is
    with several images, takes files named after the image. MaskError for what cannot be, as two
    images that would have one file.
    """
    twice = next((image for image in images if images.count(image) > 1), None)
    if twice:
        raise MaskError(f"'{twice}' is given twice; give each image once.")
    many = len(images) > 1
    asked = {key: value for key, value in given.items() if value is not None}
    mask = asked.get("output")
    for key, name in asked.items():
        if name == BESIDE or is_folder(name):
            continue
        output = kinds[key]
        if not many:
            check_suffix(name, output, kinds.values())
        elif name == STDOUT or name.lower().endswith(_SUFFIXES):
            raise MaskError(
                f"{output.option} '{name}' is one file, and there are {len(images)} images; name a "
                "folder."
            )
    found = []
    taken: dict[str, str] = {}
    for image in images:
        paths: dict[str, str] = {}
        for key, name in asked.items():
            output = kinds[key]
            if name != BESIDE:
                inside = many or is_folder(name)
                path = str(Path(name) / (stem_of(image) + output.ending)) if inside else name
            elif mask and not many and not is_folder(mask):
                base = mask.lower().removesuffix(".gz").removesuffix(".fits")
                path = mask[: len(base)] + output.ending.removeprefix("_mask")
            else:
                path = str(Path(mask or ".") / (stem_of(image) + output.ending))
            paths[key] = path
        found.append(paths)
        for path in paths.values() if many else ():
            if path in taken:
                raise MaskError(
                    f"'{taken[path]}' and '{image}' would both be written to '{path}', which is "
                    "named after the image; give them in two calls, each with a folder of its own."
                )
        taken |= dict.fromkeys(paths.values(), image)
    return found


def is_folder(name: str) -> bool:
    """Whether a name is that of a folder: one that is there, or that ends in a slash."""
    return name != STDOUT and (name.endswith("/") or Path(name).is_dir())


def check_outputs(
    given: Iterable[tuple[str, str | None]],
    inputs: Iterable[str | None],
    *,
    overwrite: bool,
    into_folder: bool = False,
) -> None:
    """Before any work: every output can be written, and none is an input or another output.

    `given` are options with their files; `into_folder`: theirs may be made.
    """
    used: dict[Path, str] = {_resolved(path): "an input" for path in inputs if path}
    at_output = []
    for option, name in given:
        if not name:
            continue
        if name == STDOUT:
            at_output.append(option)
            continue
        path, at = Path(name), _resolved(name)
        if at in used:
            raise MaskError(f"{option} '{name}' is also {used[at]}; name another file.")
        used[at] = f"the file of {option}"
        if path.is_dir():
            raise MaskError(f"{option} '{name}' is a folder; name a file in it.")
        if path.parent.is_file():
            raise MaskError(f"{option} '{name}': '{path.parent}' is a file, no folder; name one.")
        folder = path.parent.parent if into_folder else path.parent
        if not (path.parent.is_dir() or folder.is_dir()):
            raise MaskError(f"{option} '{name}': there is no folder '{folder}'; make it.")
        there = path.parent if path.parent.is_dir() else folder
        if not os.access(there, os.W_OK):
            raise MaskError(f"{option} '{name}': the folder '{there}' cannot be written to.")
        if path.exists() and not overwrite:
            raise MaskError(f"{option} '{name}' is there already; add --overwrite to replace it.")
        if path.exists() and option == OUTPUTS["labels"].option and not _is_labels(path):
            raise MaskError(
                f"{option} '{name}' is there and no label image; name another file (or put the "
                "images before the options)."
            )
    if at_output and getattr(sys.stdout, "name", "") == os.devnull:  # see run.main
        raise MaskError(f"{at_output[0]} -: standard output is closed; name a file.")
    if len(at_output) > 1:
        raise MaskError(f"{' and '.join(at_output)} cannot both go to standard output (-).")


def _resolved(name: str) -> Path:
    """Where a path leads; MaskError where links lead in a circle."""
    try:
        return Path(name).resolve()
    except (OSError, RuntimeError):
        raise MaskError(f"'{name}': its links lead in a circle.") from None


def _is_labels(path: Path) -> bool:
    """Whether a file is a label image: what stands behind --labels may be an image by mistake."""
    from astropy.io import fits

    try:
        header = fits.getheader(path)
    except OSError:
        return False
    return header.get("DATAMODL") == "SegmentationMapModel"

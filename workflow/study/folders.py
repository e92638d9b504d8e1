"""Whether a study's folders can be written to: asked before Snakemake fails on them."""

import os
import shutil
from pathlib import Path

from mirimask.errors import MaskError

__all__ = ["check_folders", "check_writable"]


def _nearest(path: Path) -> Path:
    """The path, or the nearest above it that exists."""
    path = path.absolute()
    return next(place for place in (path, *path.parents) if os.path.lexists(place))


def check_folders(*paths: Path) -> None:
    """MaskError where something else stands in the place of a folder, or of one above it."""
    for path in paths:
        nearest = _nearest(path)
        if not nearest.is_dir():
            raise MaskError(
                f"{nearest}: is no folder, and {path} has to be one. Move it away, or run the "
                "study in a copy of the repository elsewhere."
            )


def check_writable(*paths: Path) -> None:
    """MaskError where a folder cannot be written to, or its disk has less than 1 MB left.

    A folder that does not exist yet is judged by the nearest above it that does.
    """
    check_folders(*paths)
    for path in paths:
        nearest = _nearest(path)
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise MaskError(
                f"{nearest}: cannot be written to. See who may write there, or run the study "
                "in a copy of the repository elsewhere."
            )
        if shutil.disk_usage(nearest).free < 1_000_000:
            raise MaskError(
                f"{nearest}: its disk is full. Free some space; the same command again goes on "
                "from here."
            )

"""Sizes as a person writes them, `18 px`, `1.98 arcsec` or `1 fwhm`: they are read here only.

And the least that a crop may have. Nothing here takes time to import.
"""

import math
import re

from mirimask.errors import MaskError

__all__ = ["LEAST_SIDE", "size_parts"]

LEAST_SIDE = 8  # pixels of a crop: below that, no background can be taken

# the schema of the configuration has the same pattern
_SIZE = re.compile(r"((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?) *(px|arcsec|fwhm)")


def size_parts(size: str) -> tuple[str, str]:
    """Number and unit of a size, as they are written, with or without a blank between them.

    MaskError for what is no size above 0.
    """
    match = _SIZE.fullmatch(size)
    if match is None or not 0 < float(match[1]) < math.inf:
        raise MaskError(
            f"'{size}' is not a size above 0; write '18 px', '1.98 arcsec' or '1 fwhm'."
        )
    return match[1], match[2]

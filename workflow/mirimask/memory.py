"""Memory that a step has freed, given back before the next one asks for its own."""

import ctypes
from contextlib import suppress

__all__ = ["give_back"]


def give_back() -> None:
    """Return what is freed to the system.

    glibc keeps freed arrays, of up to 32 MB each, for arrays that come later, and a larger one is
    then added to them (mallopt(3), M_MMAP_THRESHOLD). Does nothing with other C libraries.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)

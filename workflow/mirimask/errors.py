"""The one exception that is meant for the person at the terminal."""

__all__ = ["MaskError"]


class MaskError(Exception):
    """Something the person can put right: what is wrong, in which file or setting, what to do.

    Its text is shown alone, without a traceback.
    """

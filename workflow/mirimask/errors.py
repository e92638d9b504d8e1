"""The exceptions that are meant for the person at the terminal."""

__all__ = ["DamagedFile", "MaskError"]


class MaskError(Exception):
    """Something the person can put right: what is wrong, in which file or setting, what to do.

    Its text is shown alone, without a traceback.
    """


class DamagedFile(MaskError):
    """A file that a study wrote and that cannot be read any more; `why` is what its reader says."""

    remedy = "remove it, and run again what wrote it"

    def __init__(self, text: str, why: str) -> None:
        super().__init__(text)
        self.why = why

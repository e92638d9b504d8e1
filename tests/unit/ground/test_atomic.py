"""Files that appear whole or not at all."""

import errno
import os
import ssl

import pytest
from mirimask.atomic import replacing, write_text


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), OSError("8000 requested and 0 written")],
)
def test_a_full_disk_is_said_with_the_file(tmp_path, error):
    """numpy does not say that the disk is full, but how much of an array it could write."""
    path = tmp_path / "masks" / "A.fits"
    write_text(path, "before")

    def half():
        with replacing(path) as new:
            new.write_text("half")
            raise error

    with pytest.raises(OSError, match=r"No space left on device: '.*A.fits'"):
        half()
    assert path.read_text() == "before"
    assert [each.name for each in path.parent.iterdir()] == ["A.fits"]


def test_other_errors_stay_as_they_are(tmp_path):
    for error in (
        FileNotFoundError(errno.ENOENT, "none", "b.csv"),
        OSError("the log was never written"),
        OSError("of", "a library"),
        ssl.SSLError(1, "record layer failure"),
        KeyError("a"),
    ):
        with pytest.raises(type(error)) as raised, replacing(tmp_path / "A.fits"):
            raise error
        assert raised.value is error

"""Small fields that every detector is tried on, and what must hold for each of them."""

from pathlib import Path

import numpy as np
import yaml
from mirimask.masks.make import family_at
from mirimask.masks.registry import missing, published_level

PROJECT = Path(__file__).resolve().parents[1]
OPTIONS = yaml.safe_load((PROJECT / "config" / "detectors.yaml").read_text())["detectors"]
FWHM = 2.445
NOISE = 0.1
SHAPE = (240, 220)
STARS = np.array([(40.2, 30.0), (110.7, 50.3), (180.0, 60.5), (60.4, 120.6), (150.1, 130.2)])
STARS = np.vstack([STARS, [(40.0, 200.3), (120.3, 190.0), (185.5, 180.2)]])


def options_of(name):
    """The shipped settings of a detector; a Python environment is found from the project."""
    options = OPTIONS[name]
    settings = dict(options["settings"])
    if "python" in settings:
        settings["python"] = str(PROJECT / settings["python"])
    return {**options, "settings": settings}


def lacks(name):
    """What a detector needs and is not there: the reason to skip its test."""
    what = missing(name, {name: options_of(name)})
    return f"{name} needs {what}" if what else ""


def field(*, flux=8.0, seed=3, slope=0.0):
    """Noise of 0.1 around 6 with eight stars whose peak is `flux` times 0.1 x 5 (ny, nx)."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    image = 6 + np.random.default_rng(seed).normal(0, NOISE, SHAPE) + slope * x
    for x0, y0 in STARS:
        distance = (x - x0) ** 2 + (y - y0) ** 2
        image += 5 * NOISE * flux * np.exp(-4 * np.log(2) * distance / FWHM**2)
    return image.astype(np.float32)


def masks(name, image, levels=None, empty=None):
    """The masks or labels of a detector at levels, by default the published one."""
    empty = np.zeros(image.shape, bool) if empty is None else empty
    options = {name: options_of(name)}
    levels = [published_level(name, options)] if levels is None else levels
    family = family_at(name, empty, levels, fwhm_px=FWHM, options=options)
    scores = family.scores(np.where(empty, np.float32(np.nan), image))
    return [family.cut(scores, row) for row in family.thresholds(scores)]


def on_stars(mask):
    """How many of the stars the mask marks at their centre."""
    x, y = np.rint(STARS).astype(int).T
    return int((mask[y, x] > 0).sum())


def check_stars_found_and_not_noise(name, level=None):
    """The eight stars are marked, and hardly a pixel far from them is."""
    image = field()
    (mask,) = masks(name, image, None if level is None else [level])
    assert mask.shape == image.shape
    assert on_stars(mask) == len(STARS)
    y, x = np.nonzero(mask)
    nearest = np.hypot(x[:, None] - STARS[:, 0], y[:, None] - STARS[:, 1]).min(axis=1)
    assert (nearest > 12).sum() <= 0.002 * image.size
    if mask.dtype != bool:  # each star has a label of its own
        x, y = np.rint(STARS).astype(int).T
        assert len(set(mask[y, x].tolist())) == len(STARS)


def check_empty_pixels(name, level):
    """A hole and a NaN are never marked; stars away from them still are, the same way twice."""
    image = field()
    empty = np.zeros(SHAPE, bool)
    empty[:, 205:] = True
    empty[100:140, 40:80] = True
    image[20, 100] = np.nan  # not told to be empty
    first, second = (masks(name, image, [level], empty)[0] for _ in range(2))
    assert not first[empty].any()
    assert first[20, 100] == 0
    assert on_stars(first) == len(STARS) - 1  # one is in the hole
    assert first.tobytes() == second.tobytes()


def check_nothing_to_see(name, level):
    """No pixel with data, and no difference between pixels: empty masks."""
    image = field()
    for seen, empty in ((image, np.ones(SHAPE, bool)), (np.full(SHAPE, 6, np.float32), None)):
        (mask,) = masks(name, seen, [level], empty)
        assert mask.shape == SHAPE
        assert not mask.any()

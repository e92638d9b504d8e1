"""What a mask method is: a score, its unit, its levels, its cut, its label and what it needs."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["Method"]


@dataclass(frozen=True)
class Method:
    """A way to make masks. Nothing heavy is imported before a mask is made.

    `label`: its name in tables and figures. `function`: `module.function` of `mirimask.masks`.

    - With a `unit`, "%" or "sigma", the function has the score and the cut of the method, as a
      `Family`: it is called with the empty pixels, `fwhm_px=`, `levels=` and the settings.
    - Without one (""), it makes the mask itself, from the data, the empty pixels, `fwhm_px=` and
      the settings.

    `level` is the one in use, `levels` those of its curve: lowest, highest and how many,
    logarithmic; None where the configuration has them (config/detectors.yaml). `marked`: levels
    that are marked on the curve, by default the one in use.

    `group`: `own` (the paper's and this project's), `peer` or `future` (the paper's future work).
    `heading`: how the paper's Table 3 heads it, by default the label. `curve_label`: what the
    figure of curves calls it, by default the label and what its level is. `about`: a line of help.

    `published`: for slices, what a percentage is of in the domain `published`: `frame`, the whole
    frame, or `crop`, the crop in a frame of zeros. `join`: what stands between the names of its
    parts, for masks that are made of others.

    `layers`: `module.function` of one that numbers the sources of its masks, their cores and all
    their light; called with the data, the empty pixels, `fwhm_px=` and the settings.

    It needs an importable `module`, a `program`, or, with `python`, the interpreter that this
    setting names. `get`: a command that installs it.
    """

    label: str
    function: str
    unit: str = "sigma"
    level: float | None = None
    levels: tuple[float, float, int] | None = None
    marked: tuple[float, ...] = ()
    group: str = "own"
    heading: str = ""
    curve_label: str = ""
    about: str = ""
    published: str = ""
    join: str = ""
    layers: str = ""
    module: str = ""
    program: str = ""
    python: str = ""
    get: str = ""

    @property
    def file(self) -> str:
        """The module that its function is in, without the packages."""
        return self.function.partition(".")[0]

    def load(self) -> Callable[..., Any]:
        """Its function, imported now."""
        return self._load(self.function)

    def load_layers(self) -> Callable[..., Any] | None:
        """The function that numbers its sources, imported now; None where there is none."""
        return self._load(self.layers) if self.layers else None

    @staticmethod
    def _load(function: str) -> Callable[..., Any]:
        file, _, name = function.partition(".")
        loaded: Callable[..., Any] = getattr(import_module(f"mirimask.masks.{file}"), name)
        return loaded

    def missing(self, settings: Mapping[str, Any]) -> str:
        """What it needs and is not there, in words; '' where it can run."""
        if self.module and find_spec(self.module) is None:
            return f"the Python package {self.module}"
        if self.program and shutil.which(self.program) is None:
            return f"the program {self.program}"
        if self.python and not Path(settings.get(self.python, "")).is_file():
            return f"the Python environment {settings.get(self.python, 'that has it')}"
        return ""

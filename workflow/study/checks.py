"""What can be seen to be wrong with a study before anything runs, besides its schemas."""

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mirimask.errors import MaskError
from mirimask.image.instrument import imaging_filter
from mirimask.sizes import LEAST_SIDE
from mirimask.sources.conditions import check_condition

from study.images import PAPER_IMAGES
from study.schema import unknown_names

if TYPE_CHECKING:
    from study.settings import Study

__all__ = ["check", "check_crops"]

_LARGEST_DEC = 89.9  # degrees: a simulated frame and its catalogue's box hold no pole


def check(study: "Study") -> None:
    """MaskError for the first thing that is wrong, with its key or row."""
    for part in _PARTS:
        part(study)


def _folders(study: "Study") -> None:
    own, shared = Path("results", study.name), Path(study.config["archive"]["downloads"])
    if own == shared:
        raise MaskError(
            f"study: '{study.name}' writes into {own}, the folder of all studies' downloads "
            "(archive.downloads); choose another name."
        )


def _rows(study: "Study") -> None:
    for image, row in study.images.items():
        where = f"images: row '{image}' of '{', '.join(study.config['images'])}'"
        if row["filter"]:
            _filter(row["filter"], where)
        unused = [key for key in [*study.own_files(image), "pixel_unit"] if row[key]]
        if unused and study.source_of(image) != "local":
            raise MaskError(
                f"{where} has no i2d, but {', '.join(unused)}, which an image from "
                f"'{study.source_of(image)}' (archive.source) does not use; give its i2d too."
            )


def check_crops(study: "Study") -> None:
    """MaskError for a crop that holds nothing, or too little, before it is laid on an image."""
    for image, row in study.images.items():
        where = f"images: row '{image}' of '{', '.join(study.config['images'])}'"
        crop = f"{where}: crop" if row["crop"] else "crop"  # of the configuration
        for axis in ("rows", "columns"):
            _order(study.crop_of(image, axis), f"{crop}, {axis}")
        for axis in ("rows", "columns"):
            first, end = study.crop_of(image, axis) or (0, LEAST_SIDE)
            if end - first < LEAST_SIDE:
                raise MaskError(
                    f"{crop}, {axis}: from {first} to {end} are {end - first} pixels; a crop needs "
                    f"{LEAST_SIDE}."
                )


def _detectors(study: "Study") -> None:
    given, known = list(study.config["detectors"]), study.known_detectors
    _known("detectors", given, known, known, "detector")
    for name in given:
        _order(study.config["detectors"][name]["levels"][:2], f"detectors.{name}.levels")


def _figures(study: "Study") -> None:
    figures = study.config["figures"]
    for key, names in (
        ("figure3.methods", figures["figure3"]["methods"]),
        ("figure4", figures["figure4"]),
        ("figure5", figures["figure5"]),
    ):
        study.masks(names, f"figures.{key}")
    for key, images in (
        ("figure1_image", [figures["figure1_image"]]),
        ("figure3.image", [figures["figure3"]["image"]]),
        ("histogram_range", list(figures["histogram_range"])),
    ):
        # the paper's are the defaults: a study without them has figures of its own images
        known = [*study.images, *study.left_out, *PAPER_IMAGES]
        _known(f"figures.{key}", images, known, list(study.images), "image of this study")


def _cuts(study: "Study") -> None:
    for cut in study.config["evaluation"]["sensitivity"]["cuts"] or ():
        try:
            check_condition(cut)
        except MaskError as error:
            raise MaskError(f"evaluation.sensitivity.cuts: {error}") from None


def _ranges(study: "Study") -> None:
    config = study.config
    _order(config["evaluation"]["curve_magnitudes"], "evaluation.curve_magnitudes")
    *ends, step = config["evaluation"]["truth_magnitudes"]
    _order(ends, "evaluation.truth_magnitudes")
    if step <= 0:
        raise MaskError(f"evaluation.truth_magnitudes: the step {step} is not above 0.")
    for image, ends in config["figures"]["histogram_range"].items():
        _order(ends, f"figures.histogram_range.{image}")
    _filter(config["survey"]["filter"], "survey")


def _side_by_side(study: "Study") -> None:
    asked, families, images = study.config["side_by_side"], study.known_families, list(study.images)
    _known("side_by_side.families", asked["families"], families, families, "family of masks")
    known = [*images, *study.left_out]
    _known("side_by_side.tuned_on", asked["tuned_on"], known, images, "image of this study")
    if asked["main_rate"] not in asked["rates"]:
        raise MaskError(
            f"side_by_side.main_rate: {asked['main_rate']} is none of the rates that levels are "
            f"tuned to, {', '.join(map(str, asked['rates']))} (side_by_side.rates)."
        )


def _by_eye(study: "Study") -> None:
    images, known = study.config["by_eye"]["images"], [*study.images, *study.left_out]
    _known("by_eye.images", images, known, list(study.images), "image of this study")


def _simulated_fields(study: "Study") -> None:
    seeds: dict[int, str] = {}
    for image in study.by_truth:
        field = study.field_of(image)
        seed, key = field["seed"], f"simulation.fields.{image}"
        _observation(study, image)
        for axis, ends in (field["dead_area"] or {}).items():
            _order(ends, f"{key}.dead_area.{axis}")
        if seed in seeds:
            raise MaskError(
                f"simulation: the fields {seeds[seed]} and {image} have the same seed {seed}, and "
                "so the same noise and bad pixels; give each its own."
            )
        seeds[seed] = image


def _observation(study: "Study", image: str) -> None:
    """What a simulated product is dated and pointed by: its own, or a row of the table."""
    field, observation = study.field_of(image), study.observation_of(image)
    where = f"simulation.fields.{image}.observation"
    if not field.get("observation"):
        where = f"simulation.observations: row '{image}'"
    date, dec = observation.get("obs_date"), observation.get("guide_star_dec_deg")
    try:
        datetime.date.fromisoformat(str(date))
    except ValueError:
        raise MaskError(f"{where}: obs_date is '{date}', which is no date.") from None
    try:
        centre = float(str(dec)) + field["offset_deg"][1]
    except ValueError:
        raise MaskError(f"{where}: guide_star_dec_deg is '{dec}', which is no number.") from None
    if not abs(centre) <= _LARGEST_DEC:
        raise MaskError(
            f"{where}: guide_star_dec_deg and offset_deg put the centre of the frame at "
            f"declination {centre:g}; it has to be from -{_LARGEST_DEC} to {_LARGEST_DEC}."
        )


_PARTS: tuple[Callable[["Study"], None], ...] = (
    _folders,
    _rows,
    _detectors,
    _figures,
    _cuts,
    _ranges,
    _side_by_side,
    _by_eye,
    _simulated_fields,
)


def _known(
    key: str, names: Sequence[str] | None, known: list[str], shown: list[str], what: str
) -> None:
    strange = [name for name in names or () if name not in known]
    if strange:
        raise MaskError(f"{key}: {unknown_names(strange, shown, what)}.")


def _filter(name: str, where: str) -> None:
    try:
        imaging_filter(name)
    except MaskError as error:
        raise MaskError(f"{where}: {error}") from None


def _order(ends: Sequence[float] | None, where: str) -> None:
    if ends and not ends[0] < ends[1]:
        raise MaskError(
            f"{where}: from {ends[0]} to {ends[1]} holds nothing; give the smaller one first."
        )

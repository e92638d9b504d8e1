"""The configuration of a study and its table of images, read and checked before anything runs."""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from mirimask.errors import MaskError
from mirimask.masks.names import DOMAINS, check_methods, leaves, parse_method
from mirimask.masks.registry import DETECTORS, METHODS, OWN, missing
from mirimask.sources.catalogue import CATALOGUES, catalogue_settings, circle_sizes

from study.checks import check, check_crops
from study.code import code
from study.images import FILES, PAPER_IMAGES, Row, read_images, read_table
from study.schema import complete
from study.usable import unusable

__all__ = ["Study"]

ROOT = Path(__file__).resolve().parents[2]  # of the project: the paper's tables are in it
# the others are compared with the first; the segmentation's eras are detectors
_OWN_FAMILIES = ("cores", *(n for n in OWN if n not in ("cores", "segmentation")))
_NEEDED = {"local": ["i2d"], "mast": ["program", "observation", "filter"], "simulated": []}
_BY_EYE = 20
_DOMAIN = re.compile(f"@({'|'.join(DOMAINS)})")


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


class Study:
    """What a study is: the images, the masks, and the settings of both.

    `config` is Snakemake's dictionary, which is completed in place: the schema's defaults, tables
    where they are, the settings of a catalogue that is known by its name. MaskError says what is
    wrong with it, in one line.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        complete(config)
        self.config = config
        self.name: str = config["study"]
        (self.other_domain,) = set(DOMAINS) - {config["slice_domain"]}
        self._read_images()
        self._complete_catalogue()
        check_crops(self)  # what an image is read with
        self._leave_out_unusable()
        self.methods = self.masks(config["methods"], "methods")
        config["methods"] = self.methods
        self.other_methods = (
            _unique(map(self.in_other_domain, self.methods)) if config["also_other_domain"] else []
        )
        self.judged = self._judged()
        # masks of the evaluation: all slices over the crop; for chance, those of the tables too
        self.evaluated = _unique(map(self.evaluated_name, [*self.methods, *self.judged]))
        # masks that are judged by what they leave in the sky
        self.used = _unique([*self.evaluated, "recommended", "cores"])
        self.by_chance = _unique([*self.methods, *self.other_methods, *self.evaluated])
        self.products = self.masks(config["products"]["methods"], "products.methods")
        # the mask of the first screen, and what of it is held to be a detection
        ours = "recommended" in self.products or not self.products
        self.overview = "recommended" if ours else self.products[0]
        self.overview_detections = "cores" if ours else self.evaluated_name(self.overview)
        self.by_eye = self.masks(config["by_eye"]["methods"] or self.methods, "by_eye.methods")
        # more than a person scores would only make the page too large to open
        scored = [image for image in config["by_eye"]["images"] or () if image in self.images]
        self.by_eye_images = scored or list(self.images)[:_BY_EYE]
        self.shown = _unique(["recommended", *self.methods])  # of the browser, which opens on it
        check(self)

    # images

    def _read_images(self) -> None:
        config = self.config
        given = [config["images"]] if isinstance(config["images"], str) else config["images"]
        config["images"] = [_project_file(path) for path in given]
        if config["published"]:
            config["published"] = _project_file(config["published"])
        rows = read_images(config["images"])
        left_out = config["leave_out"]
        unknown = [image for image in left_out if image not in rows]
        if unknown:
            raise MaskError(
                f"leave_out: '{', '.join(unknown)}' is not in '{', '.join(config['images'])}'."
            )
        self.images = {image: row for image, row in rows.items() if image not in left_out}
        if not self.images:
            raise MaskError("leave_out: no image is left; leave out fewer.")
        # The published tables are of the paper's images as the archive has them, and of no others.
        if config["archive"]["source"] != "mast" or not self.has_paper_images:
            config["published"] = None
        for image, row in self.images.items():
            source = self.source_of(image)
            absent = [key for key in _NEEDED[source] if not row[key]]
            where = f"images: row '{image}' of '{', '.join(config['images'])}'"
            if absent:
                raise MaskError(
                    f"{where} has no {' and no '.join(absent)}, which an image from '{source}' "
                    "(archive.source) needs."
                )
        self.by_truth = [i for i in self.images if self.source_of(i) == "simulated"]
        self.archive_servers = {k: v for k, v in config["archive"].items() if k != "source"}

    def _leave_out_unusable(self) -> None:
        asked = self.config["unusable_images"] == "leave_out"
        self.unusable = unusable(self) if asked else {}
        if len(self.unusable) == len(self.images):
            said = "; ".join(f"{image}: {why}" for image, why in self.unusable.items())
            raise MaskError(f"images: none can be used: {said}")
        for image in self.unusable:
            del self.images[image]

    @property
    def left_out(self) -> dict[str, str]:
        """The images that the table has and the study has not, each with the reason."""
        asked = dict.fromkeys(self.config["leave_out"], "left out by the configuration (leave_out)")
        return {**asked, **self.unusable}

    @property
    def has_paper_images(self) -> bool:
        """Whether the paper's seven images are among the study's, none as a file of one's own."""
        named = all(image in self.images for image in PAPER_IMAGES)
        return named and "local" not in map(self.source_of, PAPER_IMAGES)

    def source_of(self, image: str) -> str:
        """Where an image comes from: a row that names an i2d is local."""
        return "local" if self.images[image]["i2d"] else self.config["archive"]["source"]

    @property
    def of_cosmos_web(self) -> bool:
        """Whether all images are COSMOS-Web's (programme 1727) in F770W, whose depths are known."""
        return all(
            row["program"].lstrip("0") == "1727" and row["filter"] == "F770W"
            for row in self.images.values()
        )

    def is_paper(self, image: str) -> bool:
        """Whether an image is one of the paper's, as MAST has it."""
        return self.source_of(image) == "mast" and image in PAPER_IMAGES

    def counts_empty(self, image: str) -> bool:
        """Whether empty pixels count in an image's statistics and histogram, as in the paper."""
        asked = self.config["statistics"]["count_empty"]
        return self.source_of(image) != "local" if asked is None else asked

    @property
    def without_catalogue(self) -> list[str]:
        """The images of one's own for which the table of images names no catalogue."""
        return [
            image
            for image, row in self.images.items()
            if self.source_of(image) == "local" and not row["catalogue"]
        ]

    def images_from(self, source: str) -> str:
        """Regular expression of the images of a source; matches nothing where it has none."""
        return "|".join(re.escape(i) for i in self.images if self.source_of(i) == source) or "(?!)"

    def own_files(self, image: str) -> dict[str, str]:
        """The files that a row of the table of images names, by their column."""
        return {key: self.images[image][key] for key in FILES if self.images[image][key]}

    def crop_of(self, image: str, axis: str) -> list[int] | None:
        """From and to of an image's rows or columns: its own, or the configuration's; None: all."""
        own = self.images[image]["crop"]
        if own == "none":
            return None
        if own:
            return [int(end) for end in own.split(",")[axis == "columns"].split(":")]
        return (self.config["crop"] or {}).get(axis)

    def figure_image(self, wanted: str) -> str:
        """The image that a figure of one image shows: the one wanted, or else the first."""
        return wanted if wanted in self.images else next(iter(self.images))

    @property
    def use_image(self) -> str:
        """The simulated image in which the figure of the masks' use shows what is left."""
        wanted = self.config["figures"]["figure3"]["image"]
        return wanted if wanted in self.by_truth else next(iter(self.by_truth), "none")

    @property
    def middle_ab(self) -> float:
        """The middle of the stars of the curves, about the depth of the images."""
        return sum(self.config["evaluation"]["curve_magnitudes"]) / 2

    @property
    def dithered(self) -> list[str]:
        """The simulated images of which a super-background is made: Figure 3's and the last."""
        return _unique([self.use_image, list(self.by_truth)[-1]]) if self.by_truth else []

    # the catalogue

    def _complete_catalogue(self) -> None:
        config = self.config
        self.catalogue: str = config["catalogue"]["name"]
        sources = set(map(self.source_of, self.images))
        if "simulated" in sources and self.catalogue not in CATALOGUES:
            raise MaskError(
                f"catalogue.name: no catalogue '{self.catalogue}' can be simulated, only "
                f"{', '.join(CATALOGUES)}."
            )
        config["catalogue"] = catalogue_settings(config["catalogue"], ask="mast" in sources)
        for size in ("radius", "near"):
            if config["verdict"][size] == "catalogue":
                # files of one's own may have any pixel scale
                native = self.catalogue == "unwise" and "local" not in sources
                sizes = circle_sizes(config["catalogue"]["resolution"], native=native)
                config["verdict"][size] = sizes[size]

    # masks

    def own_name(self, name: str) -> str:
        """A method's name without a domain that is the study's own."""
        return _of_each(name, lambda part: part.removesuffix(f"@{self.config['slice_domain']}"))

    def in_other_domain(self, name: str) -> str:
        """The same mask with its slices in the domain that is not the study's.

        Other methods, and a slice whose name has its domain, as they are.
        """

        def other(part: str) -> str:
            method = parse_method(part)
            return f"{part}@{self.other_domain}" if method.is_slice and not method.domain else part

        return _of_each(name, other)

    def domain_of(self, method: str) -> str:
        """The domain of a slice: the one its name ends with, or the study's."""
        return parse_method(method).domain or self.config["slice_domain"]

    def parts_of(self, method: str) -> list[str]:
        """The masks that a combination joins."""
        return list(map(self.own_name, parse_method(method).parts))

    def evaluated_name(self, name: str) -> str:
        """The same mask with its slices over the crop."""

        def over_the_crop(part: str) -> str:
            sliced = parse_method(part).is_slice
            return self.own_name(f"{part.partition('@')[0]}@crop") if sliced else part

        return _of_each(name, over_the_crop)

    def labelled_name(self, name: str) -> list[str]:
        """A mask's method and the domain of its slices ('' without slices), for tables.

        Where its slices are over both, the domains stay in the name, and it is 'mixed'.
        """
        domains = {self.domain_of(leaf.name) for leaf in leaves(name) if leaf.is_slice}
        if len(domains) > 1:
            return [name, "mixed"]
        return [_DOMAIN.sub("", name), domains.pop() if domains else ""]

    def labelled(self, names: Iterable[str]) -> list[list[str]]:
        """`labelled_name` of each."""
        return list(map(self.labelled_name, names))

    def masks(self, names: Sequence[str], where: str) -> list[str]:
        """Names of masks as files have them; MaskError for one that cannot be made.

        `where`: the key of the configuration that they stand under.
        """
        try:
            own = [method.name for method in check_methods(list(map(self.own_name, names)))]
        except MaskError as error:
            raise MaskError(f"{where}: {str(error).removeprefix('methods: ')}") from None
        for method in self._methods_of(own):
            lacks = missing(method, self.config["detectors"])
            if lacks:
                raise MaskError(
                    f"{where}: '{method}' needs {lacks}, which is not here. `make peers` installs "
                    "it; or remove the method."
                )
        return own

    def _judged(self) -> list[str]:
        where, names = "evaluation.methods", self.config["evaluation"]["methods"]
        for name in names:
            if "@" in name:
                raise MaskError(
                    f"{where}: '{name}' has a domain, but images with added stars are sliced over "
                    "the crop; leave it out."
                )
        return self.masks(names, where)

    # methods of the registry

    @property
    def known_detectors(self) -> list[str]:
        """Every detector that the library has."""
        return list(DETECTORS)

    @staticmethod
    def _methods_of(masks: Iterable[str]) -> list[str]:
        """The methods of masks and their parts."""
        return sorted({leaf.method for name in masks for leaf in leaves(name)})

    def settings_of(self, methods: Iterable[str]) -> dict[str, Any]:
        """For each method its line of the registry, the hash of its module, and its settings.

        A new line of the registry thereby changes no mask but its own.
        """
        return {
            name: self.config["detectors"].get(name, {})
            | {
                "method": str(METHODS[name]),
                "code": code(f"mirimask.masks.{METHODS[name].file}"),
            }
            for name in methods
        }

    def settings_of_parts(self, masks: Iterable[str]) -> dict[str, Any]:
        """As `settings_of`, for masks and their parts; the segmentation has its own."""
        return self.settings_of(n for n in self._methods_of(masks) if n != "segmentation")

    def registered(self, mask: str) -> list[str]:
        """The lines of the registry that a mask is made by."""
        return [str(METHODS[leaf.method]) for leaf in leaves(mask)]

    @property
    def slice_pattern(self) -> str:
        """Regular expression of the slices."""
        kinds = "|".join(name for name, method in METHODS.items() if method.published)
        return f"({kinds})_[0-9.]+(@({'|'.join(DOMAINS)}))?"

    @property
    def function_methods(self) -> str:
        """Regular expression of the masks that are a function of the image alone."""
        names = "|".join(
            re.escape(name)
            for name, method in METHODS.items()
            if not (method.published or method.join or name == "segmentation")
        )
        return f"({names})(_[0-9.]+)?"

    # all masks side by side

    @property
    def known_families(self) -> list[str]:
        """Every family that has its settings: the study's own, then the detectors."""
        return [*_OWN_FAMILIES, *self.config["detectors"]]

    @property
    def families(self) -> list[str]:
        """The families that are set side by side."""
        return self.config["side_by_side"]["families"] or self.known_families

    @property
    def family_pattern(self) -> str:
        """Regular expression of every family."""
        return "|".join(map(re.escape, METHODS))

    @cached_property
    def not_installed(self) -> dict[str, str]:
        """What each family that cannot be made here needs."""
        lacking = {name: missing(name, self.config["detectors"]) for name in self.families}
        return {name: lacks for name, lacks in lacking.items() if lacks}

    @property
    def installed(self) -> list[str]:
        """The families that can be made here."""
        return [name for name in self.families if name not in self.not_installed]

    @property
    def groups(self) -> dict[str, list[str]]:
        """The images that are summed up together; those in no group make one of their own."""
        groups = {
            name: [image for image in images if image in self.images]
            for name, images in self.config["side_by_side"]["groups"].items()
        }
        grouped = {image for images in groups.values() for image in images}
        rest = [image for image in self.images if image not in grouped]
        real = rest and not set(rest) & set(self.by_truth)
        name = "real images" if real else "other images" if groups else "all images"
        groups[name] = [*groups.get(name, ()), *rest]
        return {name: images for name, images in groups.items() if images}

    @property
    def tuned_on(self) -> list[str]:
        """The images that levels are tuned on: all, where none of those asked for is left."""
        asked = self.config["side_by_side"]["tuned_on"] or ()
        return [image for image in asked if image in self.images] or list(self.images)

    @property
    def every_mask(self) -> list[str]:
        """All masks that are made of an image, and those that they are joined from."""
        figures = self.config["figures"]
        drawn = (figures["figure3"]["methods"], figures["figure4"], figures["figure5"])
        masks = [
            *(*self.by_chance, *self.used, *self.products, *self.by_eye, *self.shown),
            *self.side_by_side_methods,
            *map(self.own_name, itertools.chain(*drawn)),
            "segmentation",
        ]

        def and_parts(mask: str) -> Iterator[str]:
            yield mask
            for part in self.parts_of(mask):
                yield from and_parts(part)

        return _unique(each for mask in masks for each in and_parts(mask))

    @property
    def side_by_side_methods(self) -> list[str]:
        """The masks of Table 3 and, at the published levels, those besides."""
        others = (name for name in self.installed if name in DETECTORS)
        return _unique([*self.methods, "recommended", "cores", *others])

    # simulated fields

    def field_of(self, image: str) -> dict[str, Any]:
        """The block of the image's field in the configuration."""
        fields = self.config.get("simulation", {}).get("fields", {})
        if image not in fields:
            raise MaskError(
                f"simulation: the configuration has no field '{image}'; add it under "
                "simulation.fields, or remove the image from the table of images."
            )
        return fields[image]

    def observation_of(self, image: str) -> dict[str, Any]:
        """The observation that a field stands for: its own, or the row of the table."""
        own = self.field_of(image).get("observation")
        if own:
            return own
        if image not in self._observations:
            raise MaskError(
                f"simulation: '{self.config['simulation']['observations']}' has no row '{image}'; "
                f"give simulation.fields.{image} an observation."
            )
        return self._observations[image]

    @cached_property
    def _observations(self) -> dict[str, Row]:
        path = _project_file(self.config["simulation"]["observations"])
        rows = read_table(path, what="simulation.observations")
        return {row.get("code", ""): row for row in reversed(rows)}

    # surveys

    def survey_settings(self) -> dict[str, Any]:
        """What MAST is asked for."""
        asked = self.config["survey"]
        if not self.is_survey:
            raise MaskError(
                "survey: neither survey.program nor survey.region is set, so there is nothing to "
                "ask MAST for; see config/survey.example.yaml."
            )
        return asked

    @property
    def is_survey(self) -> bool:
        """Whether the study is a survey of the images that MAST has, and not of a table's."""
        return bool(self.config["survey"]["program"] or self.config["survey"]["region"])

    def failures_of(self, product: str) -> str:
        """The file that counts the failed downloads of an image that are worth another try."""
        return f"results/{self.name}/survey/failures/{product}"

    def failed_before(self, product: str) -> int:
        """How many failed; as a parameter it makes the run after a failure try again."""
        counter = Path(self.failures_of(product))
        return int(counter.read_text()) if counter.exists() else 0


def _of_each(name: str, change: Callable[[str], str]) -> str:
    """The name of a mask with each part of a combination changed."""
    method = parse_method(name)
    if not method.parts:
        return change(name)
    return METHODS[method.method].join.join(_of_each(part, change) for part in method.parts)


def _project_file(path: str) -> str:
    """A path of the configuration, from the working directory or else from this project.

    A workflow that has this one as a module runs elsewhere; the paper's tables are here.
    """
    there = ROOT / path
    return str(there) if not Path(path).exists() and there.exists() else path

"""What rules take in where that depends on the configuration or on the table of images."""

from collections.abc import Callable, Sequence

from mirimask.masks.names import method_label, parse_method
from mirimask.sizes import size_parts

from study.images import FILES
from study.settings import Study

__all__ = [
    "configured",
    "mask_labels",
    "own_files",
    "pipeline_labels",
    "psf",
    "published",
    "shown_masks",
    "shown_methods",
    "sliced",
    "truth",
    "truth_tables",
]


def configured(study: Study) -> dict[str, str]:
    """The study's own value of each setting that Table 3 is counted with others of."""
    config = study.config
    number, unit = size_parts(config["verdict"]["radius"])
    return {
        f"verdict radius [{unit}]": f"{float(number):.4g}",
        "peak S/N": f"{config['peaks']['snr']:g}",
        "catalogue": config["catalogue"]["keep"] or "all sources",
        "scorer": {"peaks": "bright peak", "pixels": "any mask pixel"}[config["verdict"]["scorer"]],
        "slice domain": config["slice_domain"],
    }


def psf(study: Study, image: str) -> str:
    """The PSF of the image's filter."""
    return f"<results>/simulation/psf_{study.images[image]['filter'] or 'F770W'}.fits"


def truth(study: Study, image: str) -> dict[str, str]:
    """The truth about an image that is simulated."""
    return {"truth": f"<results>/archive/{image}/truth.ecsv"} if image in study.by_truth else {}


def truth_tables(study: Study) -> dict[str, str]:
    """What the page of the evaluation has besides, where an image has a truth to compare with."""
    names = ("purity", "false_rates", "agreement", "use") if study.by_truth else ()
    return {name: f"<results>/evaluation/{name}.csv" for name in names}


def sliced(study: Study, image: str, method: str) -> dict[str, str]:
    """What a slice needs besides the crop: the derivative, or the frame beyond the crop."""
    if _is_derivative(method):
        return {"gradient": f"<results>/gradient/{image}.fits"}
    if parse_method(method).needs_frame(study.config["slice_domain"]):
        return {"i2d": f"<results>/archive/{image}/i2d.fits"}
    return {}


def pipeline_labels(image: str, method: str) -> dict[str, str]:
    """The segmentation keeps the pipeline's own labels; other masks are numbered here."""
    return {"segm": f"<results>/archive/{image}/segm.fits"} if method == "segmentation" else {}


def _is_derivative(method: str) -> bool:
    return parse_method(method).method == "derivative"


def shown_masks(study: Study, image: str, methods: Sequence[str]) -> dict[str, str | list[str]]:
    """What a figure of an image, two of its slices and the segmentation is drawn from."""
    shown = shown_methods(study, methods)
    files: dict[str, str | list[str]] = {
        "frame": f"<results>/frame/{image}.fits",
        "masks": [f"<results>/masks/{image}/{method}.fits" for method in shown],
        "verdicts": [f"<results>/verdicts/{image}/{method}.csv" for method in shown],
    }
    if any(map(_is_derivative, shown)):
        files["gradient"] = f"<results>/gradient/{image}.fits"
    return files


def shown_methods(study: Study, methods: Sequence[str]) -> list[str]:
    """The masks of a figure: two slices and the segmentation."""
    return [*map(study.own_name, methods), "segmentation"]


def mask_labels(methods: Sequence[str]) -> list[str]:
    """What masks are called where people read."""
    return list(map(method_label, methods))


def published(study: Study, *numbers: int) -> list[str]:
    """The published tables of these numbers; none where the study has none to compare with."""
    folder = study.config["published"]
    return [f"{folder}/table{number}.csv" for number in numbers] if folder else []


def own_files(study: Study) -> dict[str, Callable]:
    """Input functions by the columns of the table of images: an image's own file, [] for none."""

    def of(column: str) -> Callable:
        return lambda wildcards: study.own_files(wildcards.image).get(column, [])

    return {column: of(column) for column in FILES}

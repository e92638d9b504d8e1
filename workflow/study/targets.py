"""What a study ends with: the files that its targets ask for.

Paths begin with `<results>`, which Snakemake replaces by the folder of the study.
"""

from itertools import product
from pathlib import Path
from typing import Any

from study.images import PAPER_IMAGES
from study.settings import Study

__all__ = [
    "evaluation",
    "figures",
    "final",
    "injection",
    "overview_parts",
    "products",
    "report_parts",
    "side_by_side",
]

_TABLE = ("csv", "md", "tex")
_DRAWN = ("csv", "png", "pdf")  # a figure, and the table that it shows
_BY_TRUTH = ("use.md", "false_rates.csv", "false_rates.md")  # where the truth is known


def _each(pattern: str, **values: Any) -> list[str]:
    """The pattern with every combination of the values, the last one changing fastest."""
    return [
        pattern.format(**dict(zip(values, chosen, strict=True)))
        for chosen in product(*values.values())
    ]


def evaluation(study: Study) -> list[str]:
    """What the evaluation ends with."""
    names = ["chance", "reliability", "significance", "sensitivity"]
    if study.by_truth:
        names += ["completeness", "purity", "agreement", "disagreements", "use"]
    return [
        *_each("<results>/evaluation/{name}.{form}", name=names, form=_DRAWN),
        *_each("<results>/tables/table3_chance.{form}", form=_TABLE),
        "<results>/evaluation/sensitivity.md",
        *(_each("<results>/evaluation/{name}", name=_BY_TRUTH) if study.by_truth else []),
        *_each("<results>/evaluation/added.{form}", form=("csv", "md")),
        "<results>/evaluation/README.md",
    ]


def injection() -> list[str]:
    """What the added stars and the whole curves end with."""
    return [
        *_each("<results>/evaluation/{name}.{form}", name=["injection", "curves"], form=_DRAWN),
        "<results>/evaluation/injection_depths.csv",
        "<results>/evaluation/curves_compared.csv",
    ]


def side_by_side(study: Study) -> list[str]:
    """What setting all masks side by side ends with."""
    return [
        *_each("<results>/side_by_side/{name}.{form}", name=["verdict", "curves"], form=_DRAWN),
        "<results>/side_by_side/verdict.md",
        *_each("<results>/side_by_side/{name}.md", name=["factorial", "curves"]),
        *_each("<results>/side_by_side/table3.{form}", form=_TABLE),
        *(["<results>/side_by_side/use.md"] if study.by_truth else []),
    ]


def figures(study: Study) -> list[str]:
    """All figures of a study."""
    names = ["figure1", "figure2", "figure3", *_each("figure{n}/{i}", n=(4, 5), i=study.images)]
    return _each("<results>/figures/{name}.{form}", name=names, form=("png", "pdf"))


def products(study: Study) -> list[str]:
    """The masks that other software gets, each as labels, catalogue and regions."""
    forms = ("labels/{}/{}.fits", "catalogue/{}/{}.ecsv", "regions/{}/{}.reg")
    masks = list(product(study.images, study.products))
    return [f"<results>/{form.format(*mask)}" for form in forms for mask in masks]


def overview_parts(study: Study) -> dict[str, list[str]]:
    """What the first screen of a page shows of each image."""
    forms = {
        "row": "{}.json",
        "look": "{}.png",
        "thumbnail": "thumbnails/{}.png",
        "false": "false/{}.csv",
    }
    return {
        f"overview_{name}": [f"<results>/overview/{form.format(image)}" for image in study.images]
        for name, form in forms.items()
    }


def reported(study: Study) -> list[str]:
    """What the report of a study shows."""
    config = study.config
    ends = [
        "<results>/manifest.tsv",
        *_each("<results>/tables/table{number}.{form}", number=(1, 2, 3), form=_TABLE),
        *figures(study),
        *_each("<results>/figures/recommended.{form}", form=("png", "pdf")),
        *evaluation(study),
        *injection(),
        *products(study),
    ]
    if config["published"]:
        ends.append("<results>/comparison/summary.md")
    if study.has_paper_images and len(study.images) == len(PAPER_IMAGES):  # "in all seven cases"
        ends.append("<results>/claims.md")
    ends += ["<results>/browser.html", "<results>/by_eye/score.html"]
    if config["by_eye"]["files"]:
        ends += _each("<results>/by_eye/table3_by_eye.{form}", form=_TABLE)
        ends.append("<results>/by_eye/agreement.csv")
    return ends


def final(study: Study) -> list[str]:
    """Everything that the study is run for."""
    if study.is_survey:
        return ["<results>/survey/products.tsv", "<results>/survey/survey.csv"]
    pages = ["<results>/index.html"]
    if (Path("results") / study.name / "products.html").exists():  # asked for once, it stays true
        pages.append("<results>/products.html")
    # what the page leads to by name: Snakemake makes no intermediate again that is gone
    return [*report_parts(study)["files"], *pages]


def report_parts(study: Study) -> dict[str, Any]:
    """What the page that is opened first shows, and under `files` what it leads to."""
    images, outputs = list(study.images), reported(study)
    parts: dict[str, Any] = {
        "statistics": _each("<results>/statistics/{image}.json", image=images),
        "manifest": "<results>/manifest.tsv",
        "table3": "<results>/tables/table3.csv",
        "circles": "<results>/tables/circles.csv",
        "figures": [path for path in figures(study) if path.endswith(".png")],
        "evaluation": [p for p in [*evaluation(study), *injection()] if "/evaluation/" in p],
        "recommended": _each("<results>/verdicts/{image}/recommended.csv", image=images),
        "recommended_mask": _each("<results>/masks/{image}/recommended.fits", image=images),
        "segmentation": _each("<results>/verdicts/{image}/segmentation.csv", image=images),
        "chance": "<results>/tables/table3_chance.csv",
    }
    if "<results>/claims.md" in outputs:
        parts["claims"] = "<results>/claims.csv"
    of_image = (
        "frame/{}.fits",
        "gradient/{}.fits",
        "sources/{}.ecsv",
        "peaks/{}.csv",
        "statistics/{}.json",
    )
    of_archive = ("i2d.fits", "segm.fits", f"{study.catalogue}.ecsv")
    of_mask = ("masks/{}/{}.fits", "verdicts/{}/{}.csv")
    files = [
        *outputs,
        *overview_parts(study)["overview_look"],
        *(f"<results>/{form.format(image)}" for image in images for form in of_image),
        *(f"<results>/archive/{image}/{name}" for image in images for name in of_archive),
        *(
            f"<results>/{form.format(image, mask)}"
            for image in images
            for mask in study.shown
            for form in of_mask
        ),
    ]
    parts["files"] = list(dict.fromkeys(files))
    return parts

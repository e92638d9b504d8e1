"""What a run ends with on the terminal: what there is now and where, and what jobs warned of."""

from pathlib import Path

from mirimask.atomic import write_text
from mirimask.job_logs import gathered_warnings, warnings_page

from study.settings import Study

__all__ = ["ended", "places_made"]

_PLACES = {
    "index.html": "the report: open it first",
    "products.html": "the images with their masks, and what to worry about",
    "browser.html": "every image with every mask",
    "by_eye/score.html": "score by eye, blind to the method",
    "report.zip": "Snakemake's own report",
    "tables/": "Tables 1 to 3 as CSV, Markdown and LaTeX",
    "figures/": "Figures 1 to 5 as PNG and PDF",
    "claims.md": "the paper's claims, answered",
    "comparison/": "computed against published, cell by cell",
    "evaluation/": "what the masks are worth: chance, false detections, completeness",
    "side_by_side/verdict.md": "all masks at equal false rates",
    "survey/survey.csv": "a row for each image of the survey",
    "masks/": "every mask, as FITS with WCS",
    "labels/": "sources numbered, as a _segm.fits has them",
    "catalogue/": "their positions, fluxes and magnitudes",
    "regions/": "the same for DS9",
    "overview/": "quick-looks",
    "manifest.tsv": "the products used, with checksums",
    "warnings.md": "what jobs warned of",
}
_SHOWN = 5  # warnings: the others are in their file


def places_made(folder: Path) -> list[str]:
    """What of a study's results there is in its folder, and what for."""
    made = [(folder / place, what) for place, what in _PLACES.items() if (folder / place).exists()]
    width = max((len(str(path)) for path, _ in made), default=0)
    return [f"  {path!s:<{width}}  {what}" for path, what in made]


def ended(study: Study, *, since: float) -> str:
    """What a run that began at `since` says at its end, in lines; writes its `warnings.md`.

    '' where the study has nothing but logs.
    """
    folder = Path("results") / study.name
    if not folder.is_dir() or {path.name for path in folder.iterdir()} <= {"logs"}:
        return ""
    warned = gathered_warnings(folder / "logs", study.images, study.every_mask, since=since)
    write_text(folder / "warnings.md", warnings_page(warned))
    lines = [f"What there is of study {study.name}:", *places_made(folder)]
    if warned:
        word = "warning" if len(warned) == 1 else "warnings"
        lines += ["", f"{len(warned)} {word}, all in {folder / 'warnings.md'}:"]
        lines += [f"  {one.image or 'study'}: {one.text}" for one in warned[:_SHOWN]]
        if len(warned) > _SHOWN:
            lines += [f"  and {len(warned) - _SHOWN} more"]
    return "\n".join(lines)

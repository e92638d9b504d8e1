"""What to take away from the evaluation, with its numbers: evaluation/README.md."""

from pathlib import Path

from evaluated import reasons
from job import script
from mirimask.atomic import write_text
from mirimask.report.tables import SIMULATED
from mirimask.report.takeaway import takeaways
from mirimask.table_files import read_table

FILES = {
    "chance.csv": "rate of success at random and shifted positions, and what it leaves",
    "reliability.csv": "spots of the inverted image",
    "completeness.csv, purity.csv": "against truth (simulated images)",
    "use.csv, use.md": "what masks leave in the sky (simulated images)",
    "injection.csv, injection_depths.csv": "added stars: recovered shares, fits",
    "curves.csv, curves_compared.csv": "completeness against false spots and area",
    "mcnemar.csv, significance.csv": "each method against the segmentation",
    "sensitivity.csv, sensitivity.md": "Table 3 with other settings",
    "structure/": "clutter on bright background, mask in the spikes of stars",
    "agreement.csv, disagreements.csv": "automatic verdict against truth (simulated images)",
}


def not_measured(paths):
    """The measures that an image is missing in, and why."""
    folders = {}
    for path in paths:
        for image, why in reasons([path]).items():
            folders.setdefault((image, why), []).append(Path(path).parent.name)
    return "; ".join(
        f"{image} ({', '.join(names)}): {why.rstrip('.')}"
        for (image, why), names in folders.items()
    )


def main(job):
    tables = {name: read_table(path) for name, path in job.input.items() if name != "measures"}
    simulated = bool(tables["chance"]["simulated"].any())
    lines = ["# What the masks are worth", ""]
    if simulated:
        lines += [f"**{SIMULATED}**", ""]
    texts = takeaways(tables)
    if missing := not_measured(job.input.measures):
        texts.append(f"**Not measured**: {missing}.")
    lines += [f"{n}. {text}" for n, text in enumerate(texts, start=1)]
    lines += [
        "",
        "Slices are taken over the crop here; intervals are 95 %. Every formula is in "
        "`docs/method.md`, the choice of the recommended mask in `docs/recommended.md`.",
        "",
        *(f"- `{name}`: {what}" for name, what in FILES.items()),
    ]
    write_text(job.output.md, "\n".join(lines) + "\n")


if "snakemake" in globals():
    script(main, snakemake)

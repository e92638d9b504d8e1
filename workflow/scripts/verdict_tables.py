"""Table 3 from the verdicts, with the same by the other slice domain and the other scorer."""

import json
from pathlib import Path

import pandas as pd
from job import script
from mirimask.atomic import replacing, write_text
from mirimask.image.files import read_crop
from mirimask.image.frame import pixels
from mirimask.report.tables import as_latex, as_markdown, circle_notes, count_verdicts, paper_layout
from mirimask.sources.verdicts import covered_share
from mirimask.table_files import read_table

TITLE = "Table 3: success (S), near misses (behind the slash) and failures (F)"
SCORERS = {
    "peaks": "a bright spot's peak in the circle",
    "pixels": "any pixel of the mask in the circle",
}


def read_all(paths):
    """All tables of <image>/<method>.csv files below each other, with both as columns."""
    tables = [
        read_table(path).assign(image=path.parent.name, method=path.name.removesuffix(".csv"))
        for path in map(Path, paths)
    ]
    return pd.concat(tables, ignore_index=True)


def circles_of(job, verdicts):
    """For each image: its sources, and how much of it their circles cover."""
    rows = []
    for frame in job.input.frames:
        crop = read_crop(frame, planes=False)
        image = crop.primary["IMAGE"]
        own = verdicts[verdicts["image"] == image]
        own = own[own["method"] == own["method"].iloc[0]] if len(own) else own
        radius_px = pixels(job.params.radius, crop.pixel_scale, fwhm_px=crop.fwhm_px)
        at = own["x"].to_numpy(float), own["y"].to_numpy(float)
        rows.append(
            {
                "image": image,
                "catalogue": image not in job.params.without_catalogue,
                "sources": len(own),
                "radius_px": radius_px,
                "covered": covered_share(*at, crop.empty, radius_px=radius_px),
            }
        )
    return pd.DataFrame(rows)


def main(job):
    verdicts, spots = read_all(job.input.verdicts), read_all(job.input.spots)
    circles = circles_of(job, verdicts)
    with replacing(job.output.circles) as temporary:
        circles.to_csv(temporary, index=False, float_format="%.6g")
    statistics = [json.loads(Path(path).read_text()) for path in job.input.statistics]
    simulated = any(row["simulated"] for row in statistics)
    limit = job.params.clutter_limit
    groups = {job.params.domain: job.params.methods, job.params.other_domain: job.params.others}
    variants = {}
    for domain, methods in groups.items():
        own = spots.set_index(["image", "method"]).reindex(
            pd.MultiIndex.from_product([spots["image"].unique(), methods])
        )
        for scorer in SCORERS:
            if len(own):
                counts = count_verdicts(
                    verdicts, own["clutter"], clutter_limit=limit, scorer=scorer
                )
                # the domain has a column of its own here
                counts["method"] = [name.removesuffix(f"@{domain}") for name in counts["method"]]
                variants[domain, scorer] = counts[counts["sources"] > 0]
    main_key = (job.params.domain, job.params.scorer)
    with replacing(job.output.csv) as temporary:
        variants[main_key].assign(simulated=simulated).to_csv(
            temporary, index=False, float_format="%.6g"
        )
    with replacing(job.output.variants) as temporary:
        pd.concat(
            [
                table.assign(domain=domain, scorer=scorer, simulated=simulated)
                for (domain, scorer), table in variants.items()
            ]
        ).to_csv(temporary, index=False, float_format="%.6g")

    notes = [
        "S: a reference peak that the mask marks lies within the circle; behind the slash: within "
        "one more circle; F: neither",
        "bold: better than the segmentation, by more successes, or as many and fewer failures",
        f"!: needs further processing, more than {100 * limit:g} % of the mask's pixels lie on no "
        "bright spot",
    ]
    notes += circle_notes(circles)
    pages = []
    for key in sorted(variants, key=lambda key: key != main_key):
        domain, scorer = key
        title = f"{TITLE}; percentages over the {domain} domain, {SCORERS[scorer]}"
        layout = paper_layout(variants[key], bold=lambda text: f"**{text}**")
        pages.append(
            as_markdown(
                layout, title=title, notes=notes if key == main_key else [], simulated=simulated
            )
        )
    write_text(job.output.md, "\n".join(pages))
    layout = paper_layout(variants[main_key], bold=lambda text: rf"\textbf{{{text}}}")
    write_text(
        job.output.tex, as_latex(layout, title=TITLE, label="tab:table3", simulated=simulated)
    )


if "snakemake" in globals():
    script(main, snakemake)

"""The paper part of the simulated study in one Python process, without Snakemake.

    python benchmarks/plain_study.py ARCHIVE OUTPUT --config CONFIG [--only FILES]

reads ARCHIVE/<image>/ (i2d, segm, catalogue, manifest) and writes, with the same library and the
same scripts' `main`, what the workflow writes below results/<study>/: frames, statistics,
gradients, sources, peaks, masks, verdicts, Tables 1 to 3 and Figures 1 to 5. CONFIG is the
validated configuration of the study as YAML. Nothing is skipped or kept but what a job gets from
its files, as in the workflow. Prints the seconds of each part as CSV. `--only` takes a file with
one output's name a line, and does only the jobs that write these.
"""

import argparse
import csv
import importlib
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "workflow" / "scripts")]


class Files(dict):
    """Files or settings by their names."""

    __getattr__ = dict.__getitem__


def jobs(config: dict, archive: Path, out: Path, images: list[str]) -> list[tuple[str, dict]]:
    """Every job of the paper part in an order that works: its script, and what it gets."""
    from mirimask.masks.names import parse_method
    from mirimask.sources.catalogue import CATALOGUES, circle_sizes

    made: list[tuple[str, dict]] = []

    def add(script: str, **parts: object) -> None:
        made.append((script, parts))

    def drawn(name: str) -> dict[str, Path]:
        return {form: out / "figures" / f"{name}.{form}" for form in ("png", "pdf")}

    methods, domain = config["methods"], config["slice_domain"]
    (other,) = {"published", "crop"} - {domain}
    others = [f"{name}@{other}" if parse_method(name).is_slice else name for name in methods]
    everything = list(dict.fromkeys(methods + others)) if config["also_other_domain"] else methods
    # the seven images as MAST has them, and unWISE's circles
    sizes = circle_sizes(CATALOGUES["unwise"].resolution_arcsec, native=True)
    given_sizes = config["verdict"]
    circle = {
        key: sizes[key] if given_sizes[key] == "catalogue" else given_sizes[key] for key in sizes
    }
    shown = {"study": config["study"], "scorer": config["verdict"]["scorer"], **circle}
    crop = config.get("crop") or {}
    window = {"rows": crop.get("rows"), "columns": crop.get("columns")}
    catalogue = config["catalogue"]

    def file(folder: str, image: str, form: str) -> Path:
        return out / folder / f"{image}.{form}"

    for image in images:
        own = {"wildcards": Files(image=image)}
        frame, peaks = file("frame", image, "fits"), file("peaks", image, "csv")
        gradient, sources = file("gradient", image, "fits"), file("sources", image, "ecsv")
        i2d, segm = archive / image / "i2d.fits", archive / image / "segm.fits"
        add(
            "crop_frame",
            input=Files(i2d=i2d),
            output=Files(frame=frame, statistics=file("statistics", image, "json")),
            params=Files(**window, filter="", count_empty=True, paper=False),
            **own,
        )
        add("make_gradient", input=Files(frame=frame), output=Files(gradient=gradient), **own)
        add(
            "locate_sources",
            input=Files(frame=frame, catalogue=archive / image / f"{catalogue['name']}.ecsv"),
            output=Files(sources=sources),
            params=Files(catalogue=catalogue),
            **own,
        )
        add(
            "find_peaks",
            input=Files(frame=frame),
            output=Files(peaks=peaks),
            params=Files(config["peaks"]),
            **own,
        )
        for method in everything:
            own = {"wildcards": Files(image=image, method=method)}
            parsed = parse_method(method)
            cut_over = parsed.domain or domain
            given = Files(frame=frame, segm=segm)
            if parsed.method == "derivative":
                given["gradient"] = gradient
            elif parsed.needs_frame(domain):
                given["i2d"] = i2d
            mask = out / "masks" / image / f"{method}.fits"
            add(
                "make_mask",
                input=given,
                output=Files(mask=mask),
                params=Files(domain=cut_over),
                **own,
            )
            add(
                "give_verdicts",
                input=Files(mask=mask, peaks=peaks, sources=sources, frame=frame),
                output=Files(
                    verdicts=out / "verdicts" / image / f"{method}.csv",
                    spots=out / "spots" / image / f"{method}.csv",
                ),
                params=Files(
                    **config["spots"],
                    **circle,
                    smallest_spot=config["verdict"]["smallest_spot"],
                ),
                **own,
            )
    manifests = [archive / image / "manifest.tsv" for image in images]
    add("manifest", input=manifests, output=Files(manifest=out / "manifest.tsv"))
    statistics = [file("statistics", image, "json") for image in images]
    forms = ("csv", "md", "tex")
    add(
        "identity_tables",
        input=Files(statistics=statistics, manifest=out / "manifest.tsv"),
        output=Files(
            {
                f"table{n}_{form}": out / "tables" / f"table{n}.{form}"
                for n in "12"
                for form in forms
            }
        ),
    )
    judged = [f"{image}/{method}.csv" for image in images for method in everything]
    add(
        "verdict_tables",
        input=Files(
            verdicts=[out / "verdicts" / name for name in judged],
            spots=[out / "spots" / name for name in judged],
            statistics=statistics,
            frames=[file("frame", image, "fits") for image in images],
        ),
        output=Files(
            {form: out / "tables" / f"table3.{form}" for form in forms},
            variants=out / "tables" / "table3_variants.csv",
            circles=out / "tables" / "circles.csv",
        ),
        params=Files(
            methods=methods,
            others=others if config["also_other_domain"] else [],
            domain=domain,
            other_domain=other,
            scorer=config["verdict"]["scorer"],
            clutter_limit=config["clutter_limit"],
            radius=circle["radius"],
            without_catalogue=[],
        ),
    )
    figures = config["figures"]
    first = figures["figure1_image"]
    add(
        "figure1",
        input=Files(i2d=archive / first / "i2d.fits"),
        output=Files(drawn("figure1")),
        params=Files(image=first, study=config["study"], **window),
    )
    add(
        "figure2",
        input=Files(
            frames=[file("frame", image, "fits") for image in images], statistics=statistics
        ),
        output=Files(drawn("figure2")),
        params=Files(
            study=config["study"],
            ranges=figures["histogram_range"],
            bins=figures["histogram_bins"],
            percentile=figures["histogram_percentile"],
        ),
    )
    panels = [("figure3", figures["figure3"]["image"], figures["figure3"]["methods"])]
    panels += [
        (f"figure{n}/{image}", image, figures[f"figure{n}"]) for n in (4, 5) for image in images
    ]
    for name, image, slices in panels:
        both = [*slices, "segmentation"]
        given = Files(
            frame=file("frame", image, "fits"),
            masks=[out / "masks" / image / f"{method}.fits" for method in both],
            verdicts=[out / "verdicts" / image / f"{method}.csv" for method in both],
        )
        if any(parse_method(method).method == "derivative" for method in slices):
            given["gradient"] = file("gradient", image, "fits")
        add(
            "four_panels",
            input=given,
            output=Files(drawn(name)),
            params=Files(shown, catalogue=True),
        )
    return made


def main() -> None:
    start = time.perf_counter()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("archive", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--only", type=Path)
    options = parser.parse_args()
    logging.getLogger("mirimask").setLevel(logging.ERROR)  # as a job's, they go to its log
    config = yaml.safe_load(options.config.read_text())
    images = sorted(path.parent.name for path in options.archive.glob("*/i2d.fits"))
    todo = jobs(config, options.archive, options.output, images)
    if options.only:
        wanted = set(options.only.read_text().split())
        todo = [
            (script, parts)
            for script, parts in todo
            if wanted & {str(path.relative_to(options.output)) for path in parts["output"].values()}
        ]
    seconds: dict[str, float] = {}

    def timed(name: str, function: Callable[[], object]) -> None:
        begin = time.perf_counter()
        function()
        seconds[name] = seconds.get(name, 0) + time.perf_counter() - begin

    for script in dict.fromkeys(script for script, _ in todo):
        timed("imports", lambda name=script: importlib.import_module(name))
    for script, parts in todo:
        job = SimpleNamespace(**parts)
        timed(script, lambda name=script, job=job: sys.modules[name].main(job))
    writer = csv.writer(sys.stdout)
    for name, spent in seconds.items():
        count = sum(script == name for script, _ in todo)
        writer.writerow([name, count, f"{spent:.3f}"])
    writer.writerow(["total", len(todo), f"{time.perf_counter() - start:.3f}"])


if __name__ == "__main__":
    main()

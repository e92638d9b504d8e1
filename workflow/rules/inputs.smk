# What rules take in, where that needs a look at the configuration or the table of images.


def image_row(wildcards):
    """An image's row of the table of images."""
    return IMAGES[wildcards.image]


def crop_of(image, axis):
    """From and to of an image's rows or columns: its own, or the configuration's; None for all."""
    own = IMAGES[image]["crop"]
    if own == "none":
        return None
    if own:
        return [int(end) for end in own.split(",")[axis == "columns"].split(":")]
    return (config["crop"] or {}).get(axis)


def own_files(wildcards):
    """The files that a row of the table of images names."""
    row = image_row(wildcards)
    return {
        key: row[key] for key in ("i2d", "err", "wht", "segm", "catalogue") if row[key]
    }


def simulated_field(wildcards):
    """The block of the image's field in the configuration."""
    try:
        return config["simulation"]["fields"][wildcards.image]
    except KeyError:
        raise WorkflowError(
            f"simulation: the configuration has no field '{wildcards.image}'; add it under "
            "simulation/fields, or remove the image from the table of images."
        ) from None


def simulated_observation(wildcards):
    """The observation that a field stands for: its own, or the row of the table."""
    own = simulated_field(wildcards).get("observation")
    if own:
        return own
    observations = project_file(config["simulation"]["observations"])
    rows = [row for row in read_rows(observations) if row["code"] == wildcards.image]
    if not rows:
        raise WorkflowError(
            f"simulation: '{config['simulation']['observations']}' has no row "
            f"'{wildcards.image}'; give simulation/fields/{wildcards.image} an observation."
        )
    return rows[0]


def domain_of(wildcards):
    """The domain of a slice: the one its name ends with, or the study's."""
    return parse_method(wildcards.method).domain or config["slice_domain"]


def whole_frame(wildcards):
    """A value slice over the published domain needs the frame beyond the crop."""
    if domain_of(wildcards) == "published" and wildcards.method.startswith("value"):
        return {"i2d": "<results>/archive/{image}/i2d.fits"}
    return {}


def pipeline_labels(wildcards):
    """The segmentation keeps the pipeline's own labels; other masks are numbered here."""
    if wildcards.method == "segmentation":
        return {"segm": "<results>/archive/{image}/segm.fits"}
    return {}


def published(number):
    return f"{config['published']}/table{number}.csv" if config["published"] else []


def figure_image(wanted):
    """The image that a figure of one image shows: the one wanted, or else the study's first."""
    return wanted if wanted in IMAGES else next(iter(IMAGES))


def drawn(name, figure, **labels):
    """PNG and PDF of a figure, the PNG with its caption in the report."""
    path = f"<results>/figures/{name}"
    caption = f"../report/{figure.replace(' ', '')}.rst"
    return {
        "png": report(
            f"{path}.png",
            caption=caption,
            category="Figures",
            labels={"figure": figure, **labels},
        ),
        "pdf": f"{path}.pdf",
    }


def shown_masks(image, methods):
    """What a figure of an image and two of its slices is drawn from."""
    methods = [*map(own_name, methods), "segmentation"]
    return {
        "frame": f"<results>/frame/{image}.fits",
        "masks": [f"<results>/masks/{image}/{method}.fits" for method in methods],
        "verdicts": [f"<results>/verdicts/{image}/{method}.csv" for method in methods],
    }


def psf_of(image):
    """The PSF of the image's filter."""
    return f"<results>/simulation/psf_{IMAGES[image]['filter'] or 'F770W'}.fits"


def truth_file(wildcards):
    """The truth about an image that is simulated."""
    if source_of(wildcards.image) == "simulated":
        return {"truth": "<results>/archive/{image}/truth.ecsv"}
    return {}


### surveys ########################################################################################

PRODUCT = r"jw\d{5}-o\d{3}_\w+_miri_\w+(-\w+)?"


def survey_settings():
    """What MAST is asked for."""
    asked = config["survey"]
    if not (asked["program"] or asked["region"]):
        raise WorkflowError(
            "survey: neither survey.program nor survey.region is set, so there is nothing to ask "
            "MAST for; see config/survey.example.yaml."
        )
    return asked


def failures_of(product):
    """Where the failed downloads of an image are counted that another run may do better."""
    return f"results/{config['study']}/survey/failures/{product}"


def failed_before(wildcards):
    """How often; as a parameter it makes the run after a failure try again, and only then."""
    counter = Path(failures_of(wildcards.product))
    return int(counter.read_text()) if counter.exists() else 0


def survey_rows(wildcards):
    """The row of each image that MAST has."""
    products = checkpoints.survey_products.get().output.products
    images = [row["image"] for row in read_rows(products)]
    return expand("<results>/survey/rows/{product}.json", product=images)


def memory_of(wildcards, input, attempt):
    """Megabytes that an image takes: 2.4 times its file measured (benchmarks/README.md)."""
    fetched = Path(input.fetched)
    known = yaml.safe_load(fetched.read_text()) if fetched.exists() else {}
    return attempt * max(1000, 500 + 4 * known.get("bytes", 0) // 10**6)


### the report #####################################################################################

BY_EYE = list(map(own_name, config["by_eye"]["methods"] or METHODS))
SHOWN = list(dict.fromkeys([*METHODS, "recommended"]))  # masks of the image browser
try:
    check_methods(BY_EYE)
except MaskError as error:
    raise WorkflowError(f"by_eye: {error}") from None


def shown_methods(methods):
    """The masks of a figure: two slices and the segmentation."""
    return [*map(own_name, methods), "segmentation"]


@cache
def templates():
    """Hash of the pages' templates, styles and scripts."""
    digest = hashlib.sha256()
    for file in sorted((WORKFLOW / "mirimask" / "templates").iterdir()):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


@cache
def revision():
    """The commit of the workflow, with '-dirty' where files differ from it; '' without git."""
    here = ["git", "-C", str(WORKFLOW)]
    asked = (
        ["rev-parse", "--show-toplevel"],
        ["describe", "--always", "--dirty", "--abbrev=40"],
    )
    try:
        top, name = (
            subprocess.run(
                [*here, *question], capture_output=True, text=True, check=True
            ).stdout.strip()
            for question in asked
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    # a copy of the workflow inside some other repository has no revision of its own
    return name if Path(top).resolve() == WORKFLOW.parent.resolve() else ""


def report_parts():
    """What the page that is opened first shows, and the files that it leads to."""
    evaluated = [*evaluation_outputs(), *injection_outputs()]
    outputs = reported_outputs()
    parts = {
        "statistics": expand("<results>/statistics/{image}.json", image=IMAGES),
        "manifest": "<results>/manifest.tsv",
        "table3": "<results>/tables/table3.csv",
        "figures": [path for path in figure_outputs() if path.endswith(".png")],
        "evaluation": [path for path in evaluated if "/evaluation/" in path],
        "recommended": expand(
            "<results>/verdicts/{image}/recommended.csv", image=IMAGES
        ),
        "recommended_mask": expand(
            "<results>/masks/{image}/recommended.fits", image=IMAGES
        ),
        "segmentation": expand(
            "<results>/verdicts/{image}/segmentation.csv", image=IMAGES
        ),
    }
    if "<results>/tables/table3_chance.csv" in outputs:
        parts["chance"] = "<results>/tables/table3_chance.csv"
    if "<results>/claims.md" in outputs:
        parts["claims"] = "<results>/claims.csv"
    image_files = expand(
        "<results>/{folder}/{image}.{form}",
        zip,
        folder=["frame", "sources", "peaks", "statistics"] * len(IMAGES),
        form=["fits", "ecsv", "csv", "json"] * len(IMAGES),
        image=[image for image in IMAGES for _ in range(4)],
    )
    archive = expand(
        "<results>/archive/{image}/{name}",
        image=IMAGES,
        name=["i2d.fits", "segm.fits", f"{config['catalogue']['name']}.ecsv"],
    )
    masks = expand(
        "<results>/{folder}/{image}/{method}.{form}",
        zip,
        folder=["masks", "verdicts"] * len(IMAGES) * len(SHOWN),
        form=["fits", "csv"] * len(IMAGES) * len(SHOWN),
        image=[i for i in IMAGES for _ in range(2 * len(SHOWN))],
        method=[m for m in SHOWN for _ in range(2)] * len(IMAGES),
    )
    parts["files"] = list(dict.fromkeys([*outputs, *image_files, *archive, *masks]))
    return parts

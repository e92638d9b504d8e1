# What rules take in, where that needs a look at the configuration or the table of images.


def image_row(wildcards):
    """An image's row of the table of images."""
    return IMAGES.loc[wildcards.image].to_dict()


def own_files(wildcards):
    """The files that a row of the table of images names."""
    row = image_row(wildcards)
    return {
        key: row[key] for key in ("i2d", "err", "wht", "segm", "catalogue") if row[key]
    }


def check_archive():
    """Before anything runs: an archive that is needed and out of reach is said at once."""
    from mirimask.archive import Archive, check_reachable, is_cached

    archive, catalogue = Archive(**ARCHIVE_SERVERS), config["catalogue"]
    images = {
        job.wildcards.image
        for job in workflow.dag.needrun_jobs()
        if job.rule.name in ("fetch_product", "fetch_catalogue")
    }
    cached = (
        is_cached(
            archive,
            program=int(row["program"]),
            observation=int(row["observation"]),
            filter_name=row["filter"],
            catalogue=catalogue["vizier"],
            box_deg=catalogue["box_deg"],
        )
        for row in IMAGES.loc[sorted(images)].to_dict("records")
    )
    if not all(cached):
        try:
            check_reachable(archive.mast_server, archive.vizier_server)
        except MaskError as error:
            raise WorkflowError(str(error)) from None


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
    table = pd.read_csv(config["simulation"]["observations"], dtype={"obs_date": str})
    rows = table[table["code"] == wildcards.image].to_dict("records")
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


def published(number):
    return f"{config['published']}/table{number}.csv" if config["published"] else []


def figure_image(wanted):
    """The image that a figure of one image shows: the one wanted, or else the study's first."""
    return wanted if wanted in IMAGES.index else IMAGES.index[0]


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

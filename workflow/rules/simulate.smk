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


rule make_psf:
    output:
        psf="<results>/simulation/psf_{filter}.fits",
    log:
        "<logs>/make_psf/{filter}.log",
    params:
        psf=lookup("simulation/psf", within=config, default=None),
        code=code("make_psf"),
    message:
        "Computing the PSF of {wildcards.filter}"
    script:
        "../scripts/make_psf.py"


rule simulate:
    input:
        psf=lambda wildcards: (
            f"results/{config['study']}/simulation/"
            f"psf_{IMAGES.loc[wildcards.image, 'filter'] or 'F770W'}.fits"
        ),
    output:
        i2d="<results>/archive/{image}/i2d.fits",
        segm="<results>/archive/{image}/segm.fits",
        cat="<results>/archive/{image}/cat.ecsv",
        catalogue=f"<results>/archive/{{image}}/{config['catalogue']['name']}.ecsv",
        truth="<results>/archive/{image}/truth.ecsv",
        manifest="<results>/archive/{image}/manifest.tsv",
    log:
        "<logs>/simulate/{image}.log",
    wildcard_constraints:
        image=images_from("simulated"),
    resources:
        mem_mb=1500,
    params:
        field=simulated_field,
        observation=simulated_observation,
        detector=lookup("simulation/detector", within=config, default=None),
        empty_pixels=lookup("simulation/empty_pixels", within=config, default=0),
        segmentation=config["segmentation"],
        box_deg=config["catalogue"]["box_deg"],
        code=code("simulate"),
    message:
        "Simulating {wildcards.image}"
    script:
        "../scripts/simulate.py"


rule simulated_archive:
    input:
        [
            f"results/{config['study']}/archive/{image}/manifest.tsv"
            for image in IMAGES.index
            if source_of(image) == "simulated"
        ],

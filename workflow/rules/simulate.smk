rule make_psf:
    output:
        psf="<results>/simulation/psf_{filter}.fits",
    log:
        "<logs>/make_psf/{filter}.log",
    cache: CACHED
    conda:
        "../../envs/environment.yaml"
    params:
        psf=lookup("simulation/psf", within=config, default=None),
        code=code("make_psf"),
    message:
        "Computing the PSF of {wildcards.filter}"
    script:
        "../scripts/make_psf.py"


rule simulate:
    input:
        psf=lambda wildcards: inputs.psf(study, wildcards.image),
    output:
        i2d="<results>/archive/{image}/i2d.fits",
        segm="<results>/archive/{image}/segm.fits",
        cat="<results>/archive/{image}/cat.ecsv",
        catalogue=f"<results>/archive/{{image}}/{study.catalogue}.ecsv",
        truth="<results>/archive/{image}/truth.ecsv",
        light="<results>/archive/{image}/truth.fits",
        manifest="<results>/archive/{image}/manifest.tsv",
    log:
        "<logs>/simulate/{image}.log",
    wildcard_constraints:
        image=study.images_from("simulated"),
    group:
        "image"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1500,
    params:
        field=lambda wildcards: study.field_of(wildcards.image),
        observation=lambda wildcards: study.observation_of(wildcards.image),
        detector=lookup("simulation/detector", within=config, default=None),
        empty_pixels=lookup("simulation/empty_pixels", within=config, default=0),
        segmentation=config["segmentation"],
        box_deg=config["catalogue"]["box_deg"],
        catalogue=study.catalogue,
        code=code("simulate"),
    message:
        "Simulating {wildcards.image}"
    script:
        "../scripts/simulate.py"


rule simulated_archive:
    """The simulated fields alone."""
    input:
        [
            f"results/{config['study']}/archive/{image}/manifest.tsv"
            for image in study.by_truth
        ],

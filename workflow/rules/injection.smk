# Whole curves: stars added to every image, and every family of masks swept over its settings.

FAMILIES = [
    "value",
    "derivative",
    "union",
    "intersection",
    "segmentation",
    "recommended",
]


rule inject_stars:
    input:
        frame="<results>/frame/{image}.fits",
        peaks="<results>/peaks/{image}.csv",
        psf=lambda wildcards: psf_of(wildcards.image),
    output:
        csv="<results>/evaluation/injection/{image}.csv",
    log:
        "<logs>/inject_stars/{image}.log",
    group:
        "image"
    conda:
        "../../envs/environment.yaml"
    params:
        methods=JUDGED,
        detectors=detectors_of(JUDGED),
        magnitudes=config["evaluation"]["magnitudes"],
        stars=config["evaluation"]["stars"],
        segmentation=config["segmentation"],
        seed=config["evaluation"]["seed"],
        code=code("inject_stars"),
    message:
        "Adding stars to {wildcards.image}"
    script:
        "../scripts/inject_stars.py"


rule injection_summary:
    input:
        csv=expand("<results>/evaluation/injection/{image}.csv", image=IMAGES),
    output:
        csv="<results>/evaluation/injection.csv",
        depths="<results>/evaluation/injection_depths.csv",
        png=report(
            "<results>/evaluation/injection.png",
            caption="../report/evaluation.rst",
            category="Evaluation",
            labels={"measure": "injection"},
        ),
        pdf="<results>/evaluation/injection.pdf",
    log:
        "<logs>/injection_summary.log",
    group:
        "study"
    params:
        draws=200,
        seed=config["evaluation"]["seed"],
        code=code("injection_summary"),
    message:
        "Fitting the completeness curves"
    run:
        here("injection_summary", input=input, output=output, params=params, log=log)


rule sweep_curves:
    input:
        unpack(truth_file),
        frame="<results>/frame/{image}.fits",
        peaks="<results>/peaks/{image}.csv",
        psf=lambda wildcards: psf_of(wildcards.image),
    output:
        csv="<results>/evaluation/curves/{image}.csv",
    log:
        "<logs>/sweep_curves/{image}.log",
    group:
        "image"
    conda:
        "../../envs/environment.yaml"
    params:
        families=FAMILIES,
        magnitudes=config["evaluation"]["curve_magnitudes"],
        stars=config["evaluation"]["stars"],
        background_box=config["evaluation"]["background_box"],
        segmentation=config["segmentation"],
        seed=config["evaluation"]["seed"],
        code=code("sweep_curves"),
    message:
        "Sweeping the masks of {wildcards.image}"
    script:
        "../scripts/sweep_curves.py"


rule curve_summary:
    input:
        csv=expand("<results>/evaluation/curves/{image}.csv", image=IMAGES),
        depths="<results>/evaluation/injection_depths.csv",
    output:
        csv="<results>/evaluation/curves.csv",
        compared="<results>/evaluation/curves_compared.csv",
        png=report(
            "<results>/evaluation/curves.png",
            caption="../report/evaluation.rst",
            category="Evaluation",
            labels={"measure": "curves"},
        ),
        pdf="<results>/evaluation/curves.pdf",
    log:
        "<logs>/curve_summary.log",
    group:
        "study"
    params:
        rates=[1, 3, 10, 30],
        areas=[0.003, 0.01, 0.046],
        magnitudes=config["evaluation"]["curve_magnitudes"],
        code=code("curve_summary"),
    message:
        "Comparing masks at equal false rate and at equal area"
    run:
        here("curve_summary", input=input, output=output, params=params, log=log)

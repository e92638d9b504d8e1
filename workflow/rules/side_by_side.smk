# All masks at the same false rates: the target side_by_side.

# the study's own masks, then the others
COMPARED = config["side_by_side"]["families"] or [*OWN_FAMILIES, *config["detectors"]]
NOT_INSTALLED = {
    name: lacks
    for name in COMPARED
    if name in DETECTORS and (lacks := missing(name, config["detectors"][name]))
}
INSTALLED = [name for name in COMPARED if name not in NOT_INSTALLED]
SCENES = {
    "frames": expand("<results>/frame/{image}.fits", image=IMAGES),
    "peaks": expand("<results>/peaks/{image}.csv", image=IMAGES),
    "truths": expand("<results>/archive/{image}/truth.ecsv", image=BY_TRUTH),
    "psfs": [psf_of(image) for image in IMAGES],
}
SCENE_SETTINGS = {
    "images": list(IMAGES),
    "with_truth": BY_TRUTH,
    "magnitudes": config["evaluation"]["curve_magnitudes"],
    "stars": config["evaluation"]["stars"],
    "background_box": config["evaluation"]["background_box"],
    "segmentation": config["segmentation"],
    "seed": config["evaluation"]["seed"],
}


wildcard_constraints:
    family="|".join(map(re.escape, [*OWN_FAMILIES, *DETECTORS])),


rule side_by_side:
    input:
        side_by_side_outputs(),


rule sweep_family:
    input:
        **SCENES,
    output:
        csv="<results>/side_by_side/curves/{family}.csv",
    log:
        "<logs>/sweep_family/{family}.log",
    group:
        "family"
    conda:
        "../../envs/environment.yaml"
    params:
        **SCENE_SETTINGS,
        detectors=lambda wildcards: detectors_of_families([wildcards.family]),
        code=code("sweep_family"),
    message:
        "Sweeping the masks of {wildcards.family}"
    script:
        "../scripts/sweep_family.py"


rule tune_family:
    input:
        csv="<results>/side_by_side/curves/{family}.csv",
    output:
        csv="<results>/side_by_side/levels/{family}.csv",
    log:
        "<logs>/tune_family/{family}.log",
    group:
        "family"
    params:
        rates=config["side_by_side"]["rates"],
        images=list(IMAGES),
        tuned_on=config["side_by_side"]["tuned_on"] or list(IMAGES),
        code=code("tune_family"),
    message:
        "Tuning {wildcards.family}"
    run:
        here(
            "tune_family",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule judge_family:
    input:
        **SCENES,
        levels="<results>/side_by_side/levels/{family}.csv",
    output:
        judged="<results>/side_by_side/judged/{family}.csv",
        stars="<results>/side_by_side/stars/{family}.csv",
    log:
        "<logs>/judge_family/{family}.log",
    group:
        "family"
    conda:
        "../../envs/environment.yaml"
    params:
        **SCENE_SETTINGS,
        detectors=lambda wildcards: detectors_of_families([wildcards.family]),
        code=code("judge_family"),
    message:
        "Judging {wildcards.family} at its tuned levels"
    script:
        "../scripts/judge_family.py"


rule time_families:
    input:
        frame=f"<results>/frame/{next(iter(IMAGES))}.fits",
    output:
        csv="<results>/side_by_side/times.csv",
    log:
        "<logs>/time_families.log",
    conda:
        "../../envs/environment.yaml"
    threads: lambda wildcards: workflow.cores  # alone on the machine, or the times would be of others
    params:
        families=INSTALLED,
        segmentation=config["segmentation"],
        detectors=detectors_of_families(INSTALLED),
        code=code("time_families"),
    message:
        "Timing the masks"
    script:
        "../scripts/time_families.py"


rule side_by_side_summary:
    input:
        judged=expand("<results>/side_by_side/judged/{family}.csv", family=INSTALLED),
        stars=expand("<results>/side_by_side/stars/{family}.csv", family=INSTALLED),
        times="<results>/side_by_side/times.csv",
    output:
        csv="<results>/side_by_side/verdict.csv",
        md="<results>/side_by_side/verdict.md",
        png=report(
            "<results>/side_by_side/verdict.png",
            caption="../report/side_by_side.rst",
            category="Side by side",
            labels={"measure": "verdict"},
        ),
        pdf="<results>/side_by_side/verdict.pdf",
    log:
        "<logs>/side_by_side_summary.log",
    group:
        "study"
    params:
        families=INSTALLED,
        not_installed=NOT_INSTALLED,
        groups=side_by_side_groups(),
        main_rate=config["side_by_side"]["main_rate"],
        magnitudes=config["evaluation"]["curve_magnitudes"],
        draws=config["evaluation"]["bootstrap"],
        seed=config["evaluation"]["seed"],
        code=code("side_by_side_summary"),
    message:
        "Setting all masks side by side"
    run:
        here("side_by_side_summary", input=input, output=output, params=params, log=log)


rule side_by_side_curves:
    input:
        csv=expand("<results>/side_by_side/curves/{family}.csv", family=INSTALLED),
    output:
        csv="<results>/side_by_side/curves.csv",
        png=report(
            "<results>/side_by_side/curves.png",
            caption="../report/side_by_side.rst",
            category="Side by side",
            labels={"measure": "curves"},
        ),
        pdf="<results>/side_by_side/curves.pdf",
    log:
        "<logs>/side_by_side_curves.log",
    group:
        "study"
    params:
        groups=side_by_side_groups(),
        magnitudes=config["evaluation"]["curve_magnitudes"],
        code=code("side_by_side_curves"),
    message:
        "Drawing the curves of all masks"
    run:
        here("side_by_side_curves", input=input, output=output, params=params, log=log)


rule side_by_side_table3:
    input:
        verdicts=expand(
            "<results>/verdicts/{image}/{method}.csv",
            image=IMAGES,
            method=side_by_side_methods(INSTALLED),
        ),
        spots=expand(
            "<results>/spots/{image}/{method}.csv",
            image=IMAGES,
            method=side_by_side_methods(INSTALLED),
        ),
        statistics=expand("<results>/statistics/{image}.json", image=IMAGES),
    output:
        csv="<results>/side_by_side/table3.csv",
        md="<results>/side_by_side/table3.md",
        tex="<results>/side_by_side/table3.tex",
        variants="<results>/side_by_side/table3_variants.csv",
    log:
        "<logs>/side_by_side_table3.log",
    group:
        "study"
    params:
        methods=side_by_side_methods(INSTALLED),
        others=[],
        domain=config["slice_domain"],
        other_domain=OTHER_DOMAIN,
        scorer=config["verdict"]["scorer"],
        clutter_limit=config["clutter_limit"],
        code=code("verdict_tables"),
    message:
        "Writing Table 3 of all masks"
    run:
        here("verdict_tables", input=input, output=output, params=params, log=log)

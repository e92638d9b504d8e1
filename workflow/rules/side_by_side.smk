# All masks at the same false rates: the target side_by_side.

SCENES = {
    "frames": expand("<results>/frame/{image}.fits", image=study.images),
    "peaks": expand("<results>/peaks/{image}.csv", image=study.images),
    "truths": expand("<results>/archive/{image}/truth.ecsv", image=study.by_truth),
    "psfs": [inputs.psf(study, image) for image in study.images],
}
SCENE_SETTINGS = {
    "images": list(study.images),
    "with_truth": study.by_truth,
    "scene": SCENE,  # of injection.smk
    "segmentation": config["segmentation"],
}


rule side_by_side:
    """All masks at equal false rates, detectors of others too (make peers installs these)."""
    input:
        targets.side_by_side(study),


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
        detectors=lambda wildcards: study.settings_of([wildcards.family]),
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
        images=list(study.images),
        tuned_on=study.tuned_on,
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
        detectors=lambda wildcards: study.settings_of([wildcards.family]),
        code=code("judge_family"),
    message:
        "Judging {wildcards.family} at its tuned levels"
    script:
        "../scripts/judge_family.py"


rule time_families:
    input:
        frame=f"<results>/frame/{next(iter(study.images))}.fits",
    output:
        csv="<results>/side_by_side/times.csv",
    log:
        "<logs>/time_families.log",
    conda:
        "../../envs/environment.yaml"
    threads: lambda wildcards: workflow.cores  # alone on the machine, or the times would be of others
    params:
        families=study.installed,
        segmentation=config["segmentation"],
        detectors=study.settings_of(study.installed),
        runs=config["side_by_side"]["runs"],
        code=code("time_families"),
    message:
        "Timing the masks"
    script:
        "../scripts/time_families.py"


rule side_by_side_summary:
    input:
        judged=expand(
            "<results>/side_by_side/judged/{family}.csv", family=study.installed
        ),
        stars=expand(
            "<results>/side_by_side/stars/{family}.csv", family=study.installed
        ),
        times="<results>/side_by_side/times.csv",
        curves=expand(
            "<results>/side_by_side/curves/{family}.csv", family=study.installed
        ),
    output:
        csv="<results>/side_by_side/verdict.csv",
        md="<results>/side_by_side/verdict.md",
        factorial="<results>/side_by_side/factorial.csv",
        factorial_md="<results>/side_by_side/factorial.md",
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
        families=study.installed,
        not_installed=study.not_installed,
        groups=study.groups,
        tuned_on=study.tuned_on,
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
        csv=expand("<results>/side_by_side/curves/{family}.csv", family=study.installed),
    output:
        csv="<results>/side_by_side/curves.csv",
        md="<results>/side_by_side/curves.md",
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
        groups=study.groups,
        main_rate=config["side_by_side"]["main_rate"],
        magnitudes=config["evaluation"]["curve_magnitudes"],
        code=code("side_by_side_curves"),
    message:
        "Drawing the curves of all masks"
    run:
        here("side_by_side_curves", input=input, output=output, params=params, log=log)


use rule verdict_tables as side_by_side_table3 with:
    input:
        verdicts=expand(
            "<results>/verdicts/{image}/{method}.csv",
            image=study.images,
            method=study.side_by_side_methods,
        ),
        spots=expand(
            "<results>/spots/{image}/{method}.csv",
            image=study.images,
            method=study.side_by_side_methods,
        ),
        statistics=expand("<results>/statistics/{image}.json", image=study.images),
        frames=expand("<results>/frame/{image}.fits", image=study.images),
    output:
        csv="<results>/side_by_side/table3.csv",
        md="<results>/side_by_side/table3.md",
        tex="<results>/side_by_side/table3.tex",
        variants="<results>/side_by_side/table3_variants.csv",
        circles="<results>/side_by_side/circles.csv",
    log:
        "<logs>/side_by_side_table3.log",
    params:
        methods=study.side_by_side_methods,
        others=[],
    message:
        "Writing Table 3 of all masks"

rule vary_settings:
    input:
        i2d="<results>/archive/{image}/i2d.fits",
        frame="<results>/frame/{image}.fits",
        catalogue=f"<results>/archive/{{image}}/{study.catalogue}.ecsv",
        sources="<results>/sources/{image}.ecsv",
        masks=expand("<results>/masks/{{image}}/{method}.fits", method=study.shown),
        other_masks=(
            expand(
                "<results>/masks/{{image}}/{method}.fits",
                method=[study.in_other_domain(name) for name in study.shown],
            )
            if study.other_methods
            else []
        ),
    output:
        csv="<results>/evaluation/sensitivity/{image}.csv",
    log:
        "<logs>/vary_settings/{image}.log",
    group:
        "image"
    params:
        **config["spots"],
        **config["evaluation"]["sensitivity"],
        methods=study.shown,
        other_domain=study.other_domain,
        scorer=config["verdict"]["scorer"],
        radius=config["verdict"]["radius"],
        near=config["verdict"]["near"],
        smallest_spot=config["verdict"]["smallest_spot"],
        peaks=config["peaks"],
        segmentation=config["segmentation"],
        catalogue=config["catalogue"],
        code=code("vary_settings"),
    message:
        "Judging {wildcards.image} with other settings"
    run:
        here(
            "vary_settings",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule sensitivity:
    input:
        csv=expand("<results>/evaluation/sensitivity/{image}.csv", image=study.images),
        statistics=expand("<results>/statistics/{image}.json", image=study.images),
    output:
        csv="<results>/evaluation/sensitivity.csv",
        conclusions="<results>/evaluation/conclusions.csv",
        md="<results>/evaluation/sensitivity.md",
        png=report(
            "<results>/evaluation/sensitivity.png",
            caption="../report/sensitivity.rst",
            category="Evaluation",
            labels={"measure": "sensitivity"},
        ),
        pdf="<results>/evaluation/sensitivity.pdf",
    log:
        "<logs>/sensitivity.log",
    group:
        "study"
    params:
        methods=study.methods,
        configured=inputs.configured(study),
        smallest_spot=config["verdict"]["smallest_spot"],
        code=code("sensitivity_summary"),
    message:
        "Summing up what depends on the settings"
    run:
        here("sensitivity_summary", input=input, output=output, params=params, log=log)


rule structure:
    input:
        frame="<results>/frame/{image}.fits",
        peaks="<results>/peaks/{image}.csv",
        psf=lambda wildcards: inputs.psf(study, wildcards.image),
        masks=expand("<results>/masks/{{image}}/{method}.fits", method=study.evaluated),
    output:
        csv="<results>/evaluation/structure/{image}.csv",
    log:
        "<logs>/structure/{image}.log",
    group:
        "image"
    params:
        **config["spots"],
        masks=study.labelled(study.evaluated),
        background_box=config["evaluation"]["background_box"],
        bright_snr=config["evaluation"]["bright_snr"],
        smallest_spot=config["verdict"]["smallest_spot"],
        code=code("measure_structure"),
    message:
        "Looking for clutter and spikes in the masks of {wildcards.image}"
    run:
        here(
            "measure_structure",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule evaluation_page:
    """What the masks are worth, evaluation/README.md: chance, false detections, added stars, truth."""
    input:
        **inputs.truth_tables(study),
        added="<results>/evaluation/added.csv",
        chance="<results>/evaluation/chance.csv",
        reliability="<results>/evaluation/reliability.csv",
        depths="<results>/evaluation/injection_depths.csv",
        compared="<results>/evaluation/curves_compared.csv",
        mcnemar="<results>/evaluation/mcnemar.csv",
        significance="<results>/evaluation/significance.csv",
        conclusions="<results>/evaluation/conclusions.csv",
        circles="<results>/tables/circles.csv",
        measures=expand(
            "<results>/evaluation/{measure}/{image}.csv",
            measure=["chance", "reliability", "injection", "curves", "added"],
            image=study.images,
        ),
    output:
        md="<results>/evaluation/README.md",
    log:
        "<logs>/evaluation_page.log",
    group:
        "study"
    params:
        code=code("evaluation_page"),
    message:
        "Writing what to take away from the evaluation"
    run:
        here("evaluation_page", input=input, output=output, params=params, log=log)

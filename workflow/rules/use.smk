# What masks leave in the sky where the true one is known, and what they do in use on any image.


rule source_mask_use:
    input:
        frame="<results>/frame/{image}.fits",
        truth="<results>/archive/{image}/truth.ecsv",
        light="<results>/archive/{image}/truth.fits",
        psf=lambda wildcards: inputs.psf(study, wildcards.image),
        masks=expand("<results>/masks/{{image}}/{method}.fits", method=study.used),
    output:
        csv="<results>/evaluation/use/{image}.csv",
    log:
        "<logs>/source_mask_use/{image}.log",
    wildcard_constraints:
        image=study.images_from("simulated"),
    group:
        "image"
    params:
        masks=study.labelled(study.used),
        middle_ab=study.middle_ab,
        code=code("measure_use"),
    message:
        "Measuring what masks leave in the sky of {wildcards.image}"
    run:
        here(
            "measure_use",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule evaluation_of_use:
    input:
        csv=expand("<results>/evaluation/use/{image}.csv", image=study.by_truth),
        frame=f"<results>/frame/{study.use_image}.fits",
        light=f"<results>/archive/{study.use_image}/truth.fits",
        masks=expand(
            "<results>/masks/{image}/{method}.fits",
            image=[study.use_image],
            method=study.used,
        ),
    output:
        csv="<results>/evaluation/use.csv",
        md="<results>/evaluation/use.md",
        png=report(
            "<results>/evaluation/use.png",
            caption="../report/use.rst",
            category="Evaluation",
            labels={"measure": "use"},
        ),
        pdf="<results>/evaluation/use.pdf",
    log:
        "<logs>/evaluation_of_use.log",
    group:
        "study"
    params:
        image=study.use_image,
        middle_ab=study.middle_ab,
        code=code("use_summary"),
    message:
        "Adding up what masks leave in the sky"
    run:
        here("use_summary", input=input, output=output, params=params, log=log)


use rule source_mask_use as source_mask_use_of_all with:
    input:
        frame="<results>/frame/{image}.fits",
        truth="<results>/archive/{image}/truth.ecsv",
        light="<results>/archive/{image}/truth.fits",
        psf=lambda wildcards: inputs.psf(study, wildcards.image),
        masks=expand(
            "<results>/masks/{{image}}/{method}.fits",
            method=study.side_by_side_methods,
        ),
    output:
        csv="<results>/side_by_side/use/{image}.csv",
    log:
        "<logs>/source_mask_use_of_all/{image}.log",
    params:
        masks=study.labelled(study.side_by_side_methods),
        middle_ab=study.middle_ab,
        code=code("measure_use"),


rule side_by_side_use:
    input:
        csv=expand("<results>/side_by_side/use/{image}.csv", image=study.by_truth),
    output:
        csv="<results>/side_by_side/use.csv",
        md="<results>/side_by_side/use.md",
    log:
        "<logs>/side_by_side_use.log",
    group:
        "study"
    params:
        middle_ab=study.middle_ab,
        code=code("use_summary"),
    message:
        "Adding up what all masks leave in the sky"
    run:
        here("use_summary", input=input, output=output, params=params, log=log)


rule added_sources:
    input:
        frame="<results>/frame/{image}.fits",
        peaks="<results>/peaks/{image}.csv",
        psf=lambda wildcards: inputs.psf(study, wildcards.image),
        masks=expand("<results>/masks/{{image}}/{method}.fits", method=study.used),
    output:
        csv="<results>/evaluation/added/{image}.csv",
        near="<results>/evaluation/near/{image}.csv",
    log:
        "<logs>/added_sources/{image}.log",
    group:
        "image"
    params:
        masks=study.labelled(study.used),
        detectors=study.settings_of_parts(study.used),
        free_fwhm=config["evaluation"]["free_fwhm"],
        middle_ab=study.middle_ab,
        segmentation=config["segmentation"],
        seed=config["evaluation"]["seed"],
        code=code("measure_added"),
    message:
        "Adding stars and galaxies to {wildcards.image}"
    run:
        here(
            "measure_added",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule super_background:
    input:
        frame="<results>/frame/{image}.fits",
        psf=lambda wildcards: inputs.psf(study, wildcards.image),
    output:
        csv="<results>/evaluation/super_background/{image}.csv",
    log:
        "<logs>/super_background/{image}.log",
    wildcard_constraints:
        image=study.images_from("simulated"),
    group:
        "image"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1500,
    params:
        masks=study.labelled(study.used),
        detectors=study.settings_of_parts(study.used),
        segmentation=config["segmentation"],
        field=lambda wildcards: study.field_of(wildcards.image),
        observation=lambda wildcards: study.observation_of(wildcards.image),
        detector=lookup("simulation/detector", within=config, default=None),
        code=code("super_background"),
    message:
        "Masking the mean of dithered exposures of {wildcards.image}"
    script:
        "../scripts/super_background.py"


rule evaluation_of_added:
    input:
        csv=expand("<results>/evaluation/added/{image}.csv", image=study.images),
        near=expand("<results>/evaluation/near/{image}.csv", image=study.images),
        depths="<results>/evaluation/injection_depths.csv",
        dithered=expand(
            "<results>/evaluation/super_background/{image}.csv", image=study.dithered
        ),
    output:
        csv="<results>/evaluation/added.csv",
        md="<results>/evaluation/added.md",
    log:
        "<logs>/evaluation_of_added.log",
    group:
        "study"
    params:
        dithered=study.dithered,
        middle_ab=study.middle_ab,
        draws=config["evaluation"]["bootstrap"],
        seed=config["evaluation"]["seed"],
        code=code("added_summary"),
    message:
        "Adding up what masks do in use"
    run:
        here("added_summary", input=input, output=output, params=params, log=log)


rule figure_recommended:
    input:
        frames=expand("<results>/frame/{image}.fits", image=study.images),
        masks=expand("<results>/masks/{image}/recommended.fits", image=study.images),
        statistics=expand("<results>/statistics/{image}.json", image=study.images),
    output:
        **drawn("recommended", "recommended mask", image="all", masks="recommended"),
    log:
        "<logs>/figure_recommended.log",
    group:
        "study"
    params:
        images=list(study.images),
        code=code("show_masks"),
    message:
        "Drawing the recommended mask on every image"
    run:
        here("show_masks", input=input, output=output, params=params, log=log)

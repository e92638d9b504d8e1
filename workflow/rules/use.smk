# What masks leave in the sky, where the true one is known.


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
            caption="../report/evaluation.rst",
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
        code=code("use_summary"),
    message:
        "Adding up what masks leave in the sky"
    run:
        here("use_summary", input=input, output=output, params=params, log=log)

rule crop:
    input:
        i2d="<results>/archive/{image}/i2d.fits",
    output:
        frame="<results>/frame/{image}.fits",
        statistics="<results>/statistics/{image}.json",
    log:
        "<logs>/crop/{image}.log",
    group:
        "image"
    params:
        rows=lambda wildcards: study.crop_of(wildcards.image, "rows"),
        columns=lambda wildcards: study.crop_of(wildcards.image, "columns"),
        filter=lambda wildcards: study.images[wildcards.image]["filter"],
        count_empty=lambda wildcards: study.counts_empty(wildcards.image),
        paper=lambda wildcards: study.is_paper(wildcards.image),
        code=code("crop_frame"),
    message:
        "Cropping and describing {wildcards.image}"
    run:
        here(
            "crop_frame",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule gradient:
    input:
        frame="<results>/frame/{image}.fits",
    output:
        gradient="<results>/gradient/{image}.fits",
    log:
        "<logs>/gradient/{image}.log",
    group:
        "image"
    params:
        code=code("make_gradient"),
    message:
        "Differentiating {wildcards.image} along y"
    run:
        here(
            "make_gradient",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule sources:
    input:
        frame="<results>/frame/{image}.fits",
        catalogue=f"<results>/archive/{{image}}/{study.catalogue}.ecsv",
    output:
        sources="<results>/sources/{image}.ecsv",
    log:
        "<logs>/sources/{image}.log",
    group:
        "image"
    params:
        catalogue={
            key: config["catalogue"][key]
            for key in ("name", "id", "ra", "dec", "keep")
        },
        code=code("locate_sources"),
    message:
        "Placing catalogue sources on {wildcards.image}"
    run:
        here(
            "locate_sources",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule peaks:
    input:
        frame="<results>/frame/{image}.fits",
    output:
        peaks="<results>/peaks/{image}.csv",
    log:
        "<logs>/peaks/{image}.log",
    group:
        "image"
    params:
        **config["peaks"],
        code=code("find_peaks"),
    message:
        "Finding the reference peaks of {wildcards.image}"
    run:
        here(
            "find_peaks",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )

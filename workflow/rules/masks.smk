rule slice:
    input:
        unpack(
            lambda wildcards: inputs.sliced(study, wildcards.image, wildcards.method)
        ),
        frame="<results>/frame/{image}.fits",
    output:
        mask="<results>/masks/{image}/{method}.fits",
    log:
        "<logs>/slice/{image}/{method}.log",
    wildcard_constraints:
        method=study.slice_pattern,
    priority: 1  # before the figures, as Table 3 waits for every mask
    group:
        "image"
    params:
        domain=lambda wildcards: study.domain_of(wildcards.method),
        detectors=lambda wildcards: study.settings_of_parts([wildcards.method]),
        code=code("make_mask"),
    message:
        "Slicing {wildcards.image}: {wildcards.method}"
    run:
        here(
            "make_mask",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule segmentation:
    input:
        segm="<results>/archive/{image}/segm.fits",
        frame="<results>/frame/{image}.fits",
    output:
        mask="<results>/masks/{image}/{method}.fits",
    log:
        "<logs>/segmentation/{image}/{method}.log",
    wildcard_constraints:
        method="segmentation",
    priority: 1
    group:
        "image"
    params:
        method=lambda wildcards: study.registered(wildcards.method),
        code=code("make_mask"),
    message:
        "Cropping the segmentation image of {wildcards.image}"
    run:
        here(
            "make_mask",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule function_mask:
    input:
        frame="<results>/frame/{image}.fits",
    output:
        mask="<results>/masks/{image}/{method}.fits",
    log:
        "<logs>/function_mask/{image}/{method}.log",
    wildcard_constraints:
        method=study.function_methods,
    priority: 1
    group:
        "image"
    params:
        detectors=lambda wildcards: study.settings_of_parts([wildcards.method]),
        code=code("make_mask"),
    message:
        "Making the mask of {wildcards.image}: {wildcards.method}"
    run:
        here(
            "make_mask",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule combination:
    input:
        masks=lambda wildcards: expand(
            "<results>/masks/{{image}}/{part}.fits",
            part=study.parts_of(wildcards.method),
        ),
        frame="<results>/frame/{image}.fits",
    output:
        mask="<results>/masks/{image}/{method}.fits",
    log:
        "<logs>/combination/{image}/{method}.log",
    wildcard_constraints:
        method=r".+_(or|and)_.+",
    priority: 1
    group:
        "image"
    params:
        code=code("make_mask"),
    message:
        "Combining masks of {wildcards.image}: {wildcards.method}"
    run:
        here(
            "make_mask",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )

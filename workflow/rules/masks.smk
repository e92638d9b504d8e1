SLICE = r"(value|derivative)_[0-9.]+(@(published|crop))?"


def domain_of(wildcards):
    """The domain of a slice: the one its name ends with, or the study's."""
    return parse_method(wildcards.method).domain or config["slice_domain"]


def whole_frame(wildcards):
    """A value slice over the published domain needs the frame beyond the crop."""
    if domain_of(wildcards) == "published" and wildcards.method.startswith("value"):
        return {"i2d": "<results>/archive/{image}/i2d.fits"}
    return {}


rule slice:
    input:
        unpack(whole_frame),
        frame="<results>/frame/{image}.fits",
    output:
        mask="<results>/masks/{image}/{method}.fits",
    wildcard_constraints:
        method=SLICE,
    log:
        "<logs>/slice/{image}/{method}.log",
    params:
        domain=domain_of,
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
    wildcard_constraints:
        method="segmentation",
    log:
        "<logs>/segmentation/{image}/{method}.log",
    params:
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


rule combination:
    input:
        masks=lambda wildcards: expand(
            "<results>/masks/{{image}}/{part}.fits",
            part=map(own_name, parse_method(wildcards.method).parts),
        ),
        frame="<results>/frame/{image}.fits",
    output:
        mask="<results>/masks/{image}/{method}.fits",
    wildcard_constraints:
        method=r".+_(or|and)_.+",
    log:
        "<logs>/combination/{image}/{method}.log",
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

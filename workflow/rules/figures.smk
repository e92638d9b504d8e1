FIGURE1_IMAGE = study.figure_image(config["figures"]["figure1_image"])
FIGURE3_IMAGE = study.figure_image(config["figures"]["figure3"]["image"])


PANEL_PARAMS = {
    "study": study.name,
    "radius": config["verdict"]["radius"],
    "near": config["verdict"]["near"],
    "scorer": config["verdict"]["scorer"],
    "code": code("four_panels"),
}


rule figure1:
    input:
        i2d=f"<results>/archive/{FIGURE1_IMAGE}/i2d.fits",
    output:
        **drawn("figure1", "figure 1", image=FIGURE1_IMAGE, masks="none"),
    log:
        "<logs>/figure1.log",
    group:
        "study"
    params:
        image=FIGURE1_IMAGE,
        study=study.name,
        rows=study.crop_of(FIGURE1_IMAGE, "rows"),
        columns=study.crop_of(FIGURE1_IMAGE, "columns"),
        code=code("figure1"),
    message:
        f"Drawing figure 1: the crop of {FIGURE1_IMAGE}"
    run:
        here("figure1", input=input, output=output, params=params, log=log)


rule figure2:
    input:
        frames=expand("<results>/frame/{image}.fits", image=study.images),
        statistics=expand("<results>/statistics/{image}.json", image=study.images),
    output:
        **drawn("figure2", "figure 2", image="all", masks="none"),
    log:
        "<logs>/figure2.log",
    group:
        "study"
    params:
        study=study.name,
        ranges=config["figures"]["histogram_range"],
        bins=config["figures"]["histogram_bins"],
        percentile=config["figures"]["histogram_percentile"],
        code=code("figure2"),
    message:
        "Drawing figure 2: histograms"
    run:
        here("figure2", input=input, output=output, params=params, log=log)


rule figure3:
    input:
        **inputs.shown_masks(
            study, FIGURE3_IMAGE, config["figures"]["figure3"]["methods"]
        ),
    output:
        **drawn(
            "figure3",
            "figure 3",
            image=FIGURE3_IMAGE,
            masks=", ".join(
                inputs.mask_labels(config["figures"]["figure3"]["methods"])
            ),
        ),
    log:
        "<logs>/figure3.log",
    group:
        "study"
    params:
        **PANEL_PARAMS,
        methods=inputs.mask_labels(
            inputs.shown_methods(study, config["figures"]["figure3"]["methods"])
        ),
        catalogue=FIGURE3_IMAGE not in study.without_catalogue,
    message:
        f"Drawing figure 3: {FIGURE3_IMAGE}"
    run:
        here("four_panels", input=input, output=output, params=params, log=log)


rule figure4:
    input:
        **inputs.shown_masks(study, "{image}", config["figures"]["figure4"]),
    output:
        **drawn(
            "figure4/{image}",
            "figure 4",
            image="{image}",
            masks=", ".join(inputs.mask_labels(config["figures"]["figure4"])),
        ),
    log:
        "<logs>/figure4/{image}.log",
    group:
        "image"
    params:
        **PANEL_PARAMS,
        methods=inputs.mask_labels(
            inputs.shown_methods(study, config["figures"]["figure4"])
        ),
        catalogue=lambda wildcards: wildcards.image not in study.without_catalogue,
    message:
        "Drawing figure 4: {wildcards.image}"
    run:
        here("four_panels", input=input, output=output, params=params, log=log)


rule figure5:
    input:
        **inputs.shown_masks(study, "{image}", config["figures"]["figure5"]),
    output:
        **drawn(
            "figure5/{image}",
            "figure 5",
            image="{image}",
            masks=", ".join(inputs.mask_labels(config["figures"]["figure5"])),
        ),
    log:
        "<logs>/figure5/{image}.log",
    group:
        "image"
    params:
        **PANEL_PARAMS,
        methods=inputs.mask_labels(
            inputs.shown_methods(study, config["figures"]["figure5"])
        ),
        catalogue=lambda wildcards: wildcards.image not in study.without_catalogue,
    message:
        "Drawing figure 5: {wildcards.image}"
    run:
        here("four_panels", input=input, output=output, params=params, log=log)

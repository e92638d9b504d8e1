# A row an image for the first screen of the pages, and what the target `products` ends with.


rule overview_image:
    input:
        frame="<results>/frame/{image}.fits",
        mask=f"<results>/masks/{{image}}/{study.overview}.fits",
        labels=f"<results>/labels/{{image}}/{study.overview}.fits",
    output:
        row="<results>/overview/{image}.json",
        png="<results>/overview/{image}.png",
        thumbnail="<results>/overview/thumbnails/{image}.png",
    log:
        "<logs>/overview_image/{image}.log",
    group:
        "image"
    params:
        method=study.overview,
        code=code("overview_image"),
    message:
        "Looking at {wildcards.image}"
    run:
        here(
            "overview_image",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


use rule false_detections as overview_false with:
    input:
        i2d="<results>/archive/{image}/i2d.fits",
        frame="<results>/frame/{image}.fits",
        psf=lambda wildcards: inputs.psf(study, wildcards.image),
        masks=[f"<results>/masks/{{image}}/{study.overview_detections}.fits"],
    output:
        csv="<results>/overview/false/{image}.csv",
    log:
        "<logs>/overview_false/{image}.log",
    params:  # the others are those of the rule
        masks=study.labelled([study.overview_detections]),
        detectors=study.settings_of_parts([study.overview_detections]),


rule products_page:
    """The page of the images with their masks, products.html."""
    input:
        **targets.overview_parts(study),
        manifest="<results>/manifest.tsv",
        files=targets.products(study),
    output:
        page="<results>/products.html",
    log:
        "<logs>/products_page.log",
    group:
        "study"
    params:
        image=study.figure_image(config["figures"]["figure3"]["image"]),
        settings=config,
        masks=study.every_mask,
        left_out=study.left_out,
        revision=lambda wildcards: revision(),
        templates=templates(),
        code=code("write_products"),
    message:
        "Writing the page of the masks and their files"
    run:
        here("write_products", input=input, output=output, params=params, log=log)


rule products:
    """Masks, labels, catalogues, regions and quick-looks of all images, and the page of these."""
    input:
        targets.products(study),
        "<results>/products.html",

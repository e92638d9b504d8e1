# What a reader holds in their hands: the pages of a study, and Snakemake's own report.


rule score_page:
    """The page to score by eye, blind to the method."""
    input:
        frames=expand("<results>/frame/{image}.fits", image=study.by_eye_images),
        sources=expand("<results>/sources/{image}.ecsv", image=study.by_eye_images),
        masks=expand(
            "<results>/masks/{image}/{method}.fits",
            image=study.by_eye_images,
            method=study.by_eye,
        ),
    output:
        page="<results>/by_eye/score.html",
        key="<results>/by_eye/key.csv",
    log:
        "<logs>/score_page.log",
    group:
        "study"
    params:
        study=study.name,
        methods=study.by_eye,
        cutout=config["by_eye"]["cutout"],
        radius=config["verdict"]["radius"],
        near=config["verdict"]["near"],
        templates=templates(),
        code=code("score_page"),
    message:
        "Writing the page to score by eye"
    run:
        here("score_page", input=input, output=output, params=params, log=log)


rule tables_by_eye:
    input:
        files=config["by_eye"]["files"],
        key="<results>/by_eye/key.csv",
        verdicts=expand(
            "<results>/verdicts/{image}/{method}.csv",
            image=study.by_eye_images,
            method=study.by_eye,
        ),
        statistics=expand(
            "<results>/statistics/{image}.json", image=study.by_eye_images
        ),
    output:
        csv=report(
            "<results>/by_eye/table3_by_eye.csv",
            caption="../report/by_eye.rst",
            category="Tables",
            labels={"table": "3 by eye", "image": "all"},
        ),
        md="<results>/by_eye/table3_by_eye.md",
        tex="<results>/by_eye/table3_by_eye.tex",
        agreement=report(
            "<results>/by_eye/agreement.csv",
            caption="../report/by_eye.rst",
            category="Tables",
            labels={"table": "agreement by eye", "image": "all"},
        ),
    log:
        "<logs>/tables_by_eye.log",
    group:
        "study"
    params:
        images=study.by_eye_images,
        methods=study.by_eye,
        scores=files.contents(config["by_eye"]["files"]),
        code=code("tables_by_eye"),
    message:
        "Writing table 3 by eye"
    run:
        here("tables_by_eye", input=input, output=output, params=params, log=log)


rule browser:
    """The page to look at every image with every mask."""
    input:
        frames=expand("<results>/frame/{image}.fits", image=study.images),
        gradients=expand("<results>/gradient/{image}.fits", image=study.images),
        masks=expand(
            "<results>/masks/{image}/{method}.fits",
            image=study.images,
            method=study.shown,
        ),
        verdicts=expand(
            "<results>/verdicts/{image}/{method}.csv",
            image=study.images,
            method=study.shown,
        ),
    output:
        page=report(
            "<results>/browser.html",
            caption="../report/browser.rst",
            category="Pages",
            labels={"page": "images and masks"},
        ),
    log:
        "<logs>/browser.log",
    group:
        "study"
    params:
        study=study.name,
        methods=study.shown,
        radius=config["verdict"]["radius"],
        near=config["verdict"]["near"],
        of_a_spot=config["verdict"]["smallest_spot"] is not None,
        templates=templates(),
        code=code("write_browser"),
    message:
        "Writing the page to look at images and masks"
    run:
        here("write_browser", input=input, output=output, params=params, log=log)


rule index:
    """The report, index.html, and what it shows."""
    input:
        **targets.report_parts(study),
        **targets.overview_parts(study),
    output:
        page=report(
            "<results>/index.html",
            caption="../report/index.rst",
            category="Pages",
            labels={"page": "report"},
        ),
    log:
        "<logs>/index.log",
    group:
        "study"
    params:
        shown={
            "figure1": study.figure_image(config["figures"]["figure1_image"]),
            "figure3": {
                "image": study.figure_image(config["figures"]["figure3"]["image"]),
                "methods": inputs.shown_methods(
                    study, config["figures"]["figure3"]["methods"]
                ),
            },
            "figure4": inputs.shown_methods(study, config["figures"]["figure4"]),
            "figure5": inputs.shown_methods(study, config["figures"]["figure5"]),
        },
        settings=config,
        masks=study.every_mask,
        left_out=study.left_out,
        revision=lambda wildcards: revision(),
        templates=templates(),
        code=code("write_report"),
    message:
        "Writing the page that is opened first"
    run:
        here("write_report", input=input, output=output, params=params, log=log)

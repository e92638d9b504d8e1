rule vary_settings:
    input:
        i2d="<results>/archive/{image}/i2d.fits",
        frame="<results>/frame/{image}.fits",
        catalogue=f"<results>/archive/{{image}}/{config['catalogue']['name']}.ecsv",
        sources="<results>/sources/{image}.ecsv",
        masks=expand("<results>/masks/{{image}}/{method}.fits", method=METHODS),
        other_masks=expand(
            "<results>/masks/{{image}}/{method}.fits", method=OTHER_METHODS
        ),
    output:
        csv="<results>/evaluation/sensitivity/{image}.csv",
    log:
        "<logs>/vary_settings/{image}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **config["spots"],
        **config["evaluation"]["sensitivity"],
        methods=METHODS,
        other_domain=OTHER_DOMAIN,
        radius=config["verdict"]["radius"],
        near=config["verdict"]["near"],
        peaks=config["peaks"],
        segmentation=config["segmentation"],
        catalogue=config["catalogue"],
        code=code("vary_settings"),
    message:
        "Judging {wildcards.image} with other settings"
    script:
        "../scripts/vary_settings.py"


rule sensitivity:
    input:
        csv=expand("<results>/evaluation/sensitivity/{image}.csv", image=IMAGES.index),
        statistics=expand("<results>/statistics/{image}.json", image=IMAGES.index),
    output:
        csv="<results>/evaluation/sensitivity.csv",
        md="<results>/evaluation/sensitivity.md",
        png="<results>/evaluation/sensitivity.png",
        pdf="<results>/evaluation/sensitivity.pdf",
    log:
        "<logs>/sensitivity.log",
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("sensitivity_summary"),
    message:
        "Summing up what depends on the settings"
    script:
        "../scripts/sensitivity_summary.py"

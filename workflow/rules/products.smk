# Masks as files that other software reads.


# Labels and catalogue of one mask are a job of their own, so that a changed method makes its files
# again and no other's; in a process that jobs share, the imports (photutils and more) are paid once.
rule export_mask:
    input:
        unpack(
            lambda wildcards: inputs.pipeline_labels(wildcards.image, wildcards.method)
        ),
        mask="<results>/masks/{image}/{method}.fits",
        frame="<results>/frame/{image}.fits",
        sources="<results>/sources/{image}.ecsv",
        verdicts="<results>/verdicts/{image}/{method}.csv",
    output:
        labels="<results>/labels/{image}/{method}.fits",
        catalogue="<results>/catalogue/{image}/{method}.ecsv",
        regions="<results>/regions/{image}/{method}.reg",
    log:
        "<logs>/export_mask/{image}/{method}.log",
    group:
        "image"
    params:
        min_pixels=config["spots"]["min_pixels"],
        radius=config["verdict"]["radius"],
        scorer=config["verdict"]["scorer"],
        catalogue=study.catalogue,
        detectors=lambda wildcards: study.settings_of_parts([wildcards.method]),
        code=code("export_mask"),
    message:
        "Measuring the sources of {wildcards.method} on {wildcards.image}"
    run:
        here(
            "export_mask",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )

# Every public image of a programme or a region: list, downloads, masks, one table.
# The images are those of one query, not those of the table of images: their wildcard is `product`.


rule survey:
    """Every public image of a programme or a region: downloads, masks and one table (config/survey.example.yaml)."""
    input:
        "<results>/survey/products.tsv",  # where it is removed, MAST is asked again
        "<results>/survey/survey.csv",


checkpoint survey_products:
    output:
        products="<results>/survey/products.tsv",
    log:
        "<logs>/survey_products.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    resources:
        downloads=1,
    params:
        survey=lambda wildcards: said(study.survey_settings),
        archive=study.archive_servers,
        code=code("survey_products"),
    message:
        "Asking MAST for the images of the survey"
    script:
        "../scripts/survey_products.py"


# In Snakemake's process, on the machine that has a network: two at a time, whatever the cluster.
rule survey_fetch:
    input:
        products=ancient("<results>/survey/products.tsv"),
    output:
        fetched="<results>/survey/fetched/{product}.json",
    log:
        "<logs>/survey_fetch/{product}.log",
    wildcard_constraints:
        product=PRODUCT,
    localrule: True
    resources:
        downloads=1,
    params:
        archive=study.archive_servers,
        failures=lambda wildcards: study.failures_of(wildcards.product),
        failed=lambda wildcards: study.failed_before(wildcards.product),
        code=code("survey_fetch"),
    message:
        "Fetching {wildcards.product} from MAST"
    run:
        here(
            "survey_fetch",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


# Folders, because an image that fails has no files in them, and its row says why.
rule survey_mask:
    input:
        fetched="<results>/survey/fetched/{product}.json",
    output:
        mask=directory("<results>/masks/{product}"),
        labels=directory("<results>/labels/{product}"),
        catalogue=directory("<results>/catalogue/{product}"),
        row="<results>/survey/rows/{product}.json",
    log:
        "<logs>/survey_mask/{product}.log",
    wildcard_constraints:
        product=PRODUCT,
    group:
        "image"
    params:
        filter=config["survey"]["filter"],
        rows=lookup("crop/rows", within=config, default=None),
        columns=lookup("crop/columns", within=config, default=None),
        min_pixels=config["spots"]["min_pixels"],
        failures=lambda wildcards: study.failures_of(wildcards.product),
        code=code("survey_mask"),
    message:
        "Masking {wildcards.product}"
    run:
        here(
            "survey_mask",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule survey_summary:
    input:
        products="<results>/survey/products.tsv",
        rows=survey_rows,
    output:
        table="<results>/survey/survey.csv",
        page="<results>/survey/survey.md",
        images="<results>/survey/images.tsv",
    log:
        "<logs>/survey_summary.log",
    localrule: True
    params:
        survey=lambda wildcards: said(study.survey_settings),
        code=code("survey_summary"),
    message:
        "Summing up the survey"
    run:
        here("survey_summary", input=input, output=output, params=params, log=log)

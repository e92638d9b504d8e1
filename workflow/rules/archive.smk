# From the archives, or a person's own files, to <results>/archive/<image>/.


rule fetch_product:
    output:
        i2d="<results>/archive/{image}/i2d.fits",
        segm="<results>/archive/{image}/segm.fits",
        cat="<results>/archive/{image}/cat.ecsv",
        rows="<results>/archive/{image}/product.tsv",
    log:
        "<logs>/fetch_product/{image}.log",
    wildcard_constraints:
        image=study.images_from("mast"),
    cache: CACHED
    localrule: True  # nodes of a cluster often have no network
    conda:
        "../../envs/environment.yaml"
    resources:
        downloads=1,
    params:
        image=lambda wildcards: study.images[wildcards.image],
        archive=study.archive_servers,
        segmentation=config["segmentation"],  # where MAST lists no segm
        paper=lambda wildcards: study.is_paper(wildcards.image),
        code=code("fetch_product"),
    message:
        "Fetching {wildcards.image} from MAST"
    script:
        "../scripts/fetch_product.py"


rule fetch_catalogue:
    input:
        i2d="<results>/archive/{image}/i2d.fits",
        rows="<results>/archive/{image}/product.tsv",
    output:
        catalogue=f"<results>/archive/{{image}}/{study.catalogue}.ecsv",
        manifest="<results>/archive/{image}/manifest.tsv",
    log:
        "<logs>/fetch_catalogue/{image}.log",
    wildcard_constraints:
        image=study.images_from("mast"),
    cache: CACHED
    localrule: True
    conda:
        "../../envs/environment.yaml"
    resources:
        downloads=1,
    params:
        archive=study.archive_servers,
        catalogue=config["catalogue"],
        code=code("fetch_catalogue"),
    message:
        "Fetching the {params.catalogue[name]} sources around {wildcards.image}"
    script:
        "../scripts/fetch_catalogue.py"


rule archive_check:
    """What MAST and the catalogue's archive have for the images: files, sizes, pipeline versions, rows; downloads nothing."""
    log:
        "<logs>/archive_check.log",
    localrule: True
    resources:
        downloads=1,
    params:
        images={
            i: row for i, row in study.images.items() if study.source_of(i) == "mast"
        },
        archive=study.archive_servers,
        catalogue=config["catalogue"],
    message:
        "Asking the archives what they have"
    run:
        here("archive_check", output=output, params=params, log=log)


rule import_local:
    input:
        **inputs.own_files(study),
    output:
        i2d="<results>/archive/{image}/i2d.fits",
        segm="<results>/archive/{image}/segm.fits",
        cat="<results>/archive/{image}/cat.ecsv",
        catalogue=f"<results>/archive/{{image}}/{study.catalogue}.ecsv",
        manifest="<results>/archive/{image}/manifest.tsv",
        inputs="<results>/archive/{image}/inputs.json",
    log:
        "<logs>/import_local/{image}.log",
    wildcard_constraints:
        image=study.images_from("local"),
    group:
        "image"
    params:
        image=lambda wildcards: study.images[wildcards.image],
        catalogue={key: config["catalogue"][key] for key in ("name", "id", "ra", "dec")},
        segmentation=config["segmentation"],
        contents=lambda wildcards: files.own_contents(study, wildcards.image),
        code=code("import_local"),
    message:
        "Importing {wildcards.image}"
    run:
        here(
            "import_local",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule manifest:
    """The products of all images, fetched or imported, in one table with their checksums."""
    input:
        expand("<results>/archive/{image}/manifest.tsv", image=study.images),
    output:
        manifest="<results>/manifest.tsv",
    log:
        "<logs>/manifest.log",
    group:
        "study"
    params:
        code=code("manifest"),
    message:
        "Listing where the products came from"
    run:
        here("manifest", input=input, output=output, params=params, log=log)

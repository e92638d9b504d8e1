# From the archives, or a person's own files, to <results>/archive/<image>/.

CATALOGUE = config["catalogue"]["name"]
ARCHIVE_SERVERS = {
    key: value for key, value in config["archive"].items() if key != "source"
}


def image_row(wildcards):
    """An image's row of the table of images."""
    return IMAGES.loc[wildcards.image].to_dict()


def own_files(wildcards):
    """The files that a row of the table of images names."""
    row = image_row(wildcards)
    return {
        key: row[key] for key in ("i2d", "err", "wht", "segm", "catalogue") if row[key]
    }


def check_archive():
    """Before anything runs: an archive that is needed and out of reach is said at once."""
    from mirimask.archive import Archive, check_reachable, is_cached

    archive, catalogue = Archive(**ARCHIVE_SERVERS), config["catalogue"]
    images = {
        job.wildcards.image
        for job in workflow.dag.needrun_jobs()
        if job.rule.name in ("fetch_product", "fetch_catalogue")
    }
    cached = (
        is_cached(
            archive,
            program=int(row["program"]),
            observation=int(row["observation"]),
            filter_name=row["filter"],
            catalogue=catalogue["vizier"],
            box_deg=catalogue["box_deg"],
        )
        for row in IMAGES.loc[sorted(images)].to_dict("records")
    )
    if not all(cached):
        try:
            check_reachable(archive.mast_server, archive.vizier_server)
        except MaskError as error:
            raise WorkflowError(str(error)) from None


onstart:
    check_archive()


rule fetch_product:
    output:
        i2d="<results>/archive/{image}/i2d.fits",
        segm="<results>/archive/{image}/segm.fits",
        cat="<results>/archive/{image}/cat.ecsv",
        rows="<results>/archive/{image}/product.tsv",
    log:
        "<logs>/fetch_product/{image}.log",
    wildcard_constraints:
        image=images_from("mast"),
    resources:
        downloads=1,
    params:
        image=image_row,
        archive=ARCHIVE_SERVERS,
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
        catalogue=f"<results>/archive/{{image}}/{CATALOGUE}.ecsv",
        manifest="<results>/archive/{image}/manifest.tsv",
    log:
        "<logs>/fetch_catalogue/{image}.log",
    wildcard_constraints:
        image=images_from("mast"),
    resources:
        downloads=1,
    params:
        archive=ARCHIVE_SERVERS,
        catalogue=config["catalogue"],
        code=code("fetch_catalogue"),
    message:
        "Fetching the sources around {wildcards.image} from VizieR"
    script:
        "../scripts/fetch_catalogue.py"


rule import_local:
    input:
        unpack(own_files),
    output:
        i2d="<results>/archive/{image}/i2d.fits",
        segm="<results>/archive/{image}/segm.fits",
        cat="<results>/archive/{image}/cat.ecsv",
        catalogue=f"<results>/archive/{{image}}/{CATALOGUE}.ecsv",
        manifest="<results>/archive/{image}/manifest.tsv",
    log:
        "<logs>/import_local/{image}.log",
    wildcard_constraints:
        image=images_from("local"),
    params:
        image=image_row,
        catalogue={key: config["catalogue"][key] for key in ("name", "id", "ra", "dec")},
        segmentation=config["segmentation"],
        code=code("import_local"),
    message:
        "Importing {wildcards.image}"
    script:
        "../scripts/import_local.py"


rule manifest:
    input:
        expand("<results>/archive/{image}/manifest.tsv", image=IMAGES.index),
    output:
        manifest="<results>/manifest.tsv",
    log:
        "<logs>/manifest.log",
    params:
        code=code("manifest"),
    message:
        "Listing where the products came from"
    run:
        here("manifest", input=input, output=output, params=params, log=log)

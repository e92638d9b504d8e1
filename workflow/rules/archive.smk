# From the archives, or a person's own files, to <results>/archive/<image>/.

from mirimask.catalogue import CATALOGUES, catalogue_settings, circle_sizes

CATALOGUE = config["catalogue"]["name"]
SOURCES = set(map(source_of, IMAGES))
if "simulated" in SOURCES and CATALOGUE not in CATALOGUES:
    raise WorkflowError(
        f"catalogue.name: no catalogue '{CATALOGUE}' can be simulated, only "
        f"{', '.join(CATALOGUES)}."
    )
try:
    config["catalogue"] = catalogue_settings(config["catalogue"], ask="mast" in SOURCES)
    for size, what in config["verdict"].items():
        if what == "catalogue":
            circle = circle_sizes(config["catalogue"]["resolution"])
            config["verdict"][size] = circle[size]
except MaskError as error:
    raise WorkflowError(str(error)) from None
ARCHIVE_SERVERS = {
    key: value for key, value in config["archive"].items() if key != "source"
}


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
    cache: True
    localrule: True  # nodes of a cluster often have no network
    conda:
        "../../envs/environment.yaml"
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
    cache: True
    localrule: True
    conda:
        "../../envs/environment.yaml"
    resources:
        downloads=1,
    params:
        archive=ARCHIVE_SERVERS,
        catalogue=config["catalogue"],
        code=code("fetch_catalogue"),
    message:
        "Fetching the {params.catalogue[name]} sources around {wildcards.image}"
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
    group:
        "image"
    conda:
        "../../envs/environment.yaml"
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
        expand("<results>/archive/{image}/manifest.tsv", image=IMAGES),
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

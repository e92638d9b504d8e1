# What needs Snakemake's own objects: a report's figures, a checkpoint's images.


def drawn(name, figure, **labels):
    """PNG and PDF of a figure, the PNG with its caption in the report."""
    path = f"<results>/figures/{name}"
    caption = f"../report/{figure.replace(' ', '')}.rst"
    return {
        "png": report(
            f"{path}.png",
            caption=caption,
            category="Figures",
            labels={"figure": figure, **labels},
        ),
        "pdf": f"{path}.pdf",
    }


def survey_rows(wildcards):
    """The row of each image that MAST has."""
    products = checkpoints.survey_products.get().output.products
    images = [row["image"] for row in read_table(products, what="survey")]
    return expand("<results>/survey/rows/{product}.json", product=images)

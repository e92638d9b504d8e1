"""What a study's products are and where they came from: the manifests of all images as one."""

import pandas as pd
from job import script
from mirimask.image.manifest import COLUMNS, write_manifest
from mirimask.table_files import read_texts


def main(job):
    parts = [read_texts(p, separator="\t") for p in job.input]
    whole = pd.concat(parts).reindex(columns=COLUMNS, fill_value="")
    write_manifest(job.output.manifest, whole.to_dict("records"))


if "snakemake" in globals():
    script(main, snakemake)

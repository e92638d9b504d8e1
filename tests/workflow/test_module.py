"""The workflow as a module of another one, in another folder."""

import subprocess

import pytest
from conftest import ROOT, SNAKEMAKE, make_image

OUTER = """
configfile: "outer.yaml"

module masks:
    snakefile: "{root}/workflow/Snakefile"
    config: config["masks"]

use rule * from masks as masks_*

rule bright_spots:
    default_target: True
    input:
        labels="results/small/labels/A/recommended.fits",
        table="results/small/tables/table3.csv",
    output: "bright.txt"
    run:
        from astropy.io import fits
        with open(output[0], "w") as file:
            file.write(str(fits.getdata(input.labels, "SCI").max()))
"""
SETTINGS = """
colour: blue
masks:
  study: small
  images: mine.tsv
  archive: {source: local}
  crop: null
  methods: [value_1, segmentation]
"""


@pytest.fixture
def outer(tmp_path):
    """A workflow that has this one as a module; gives a function that runs it."""
    row = make_image(tmp_path, "A", seed=0)
    (tmp_path / "mine.tsv").write_text("\t".join(row) + "\n" + "\t".join(row.values()) + "\n")
    (tmp_path / "Snakefile").write_text(OUTER.format(root=ROOT))

    def run(*options, settings=SETTINGS):
        (tmp_path / "outer.yaml").write_text(settings)
        command = [*SNAKEMAKE, "--cores", "2"]
        return subprocess.run(
            [*command, "--workflow-profile", str(ROOT / "profiles" / "default"), *options],
            cwd=tmp_path,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
        )

    run.folder = tmp_path
    return run


def test_its_files_are_inputs_of_other_rules(outer):
    done = outer()
    assert done.returncode == 0, done.stdout
    assert int((outer.folder / "bright.txt").read_text()) > 0
    assert outer("--dry-run").stdout.count("Nothing to be done") == 1


def test_everything_can_be_asked_for(outer):
    """Defaults of the schema fill the configuration; the paper's tables are found."""
    done = outer("--dry-run", "--quiet", "rules", "--", "masks_all")
    assert done.returncode == 0, done.stdout
    assert "masks_figure4" in done.stdout
    paper = "masks: {study: paper}\n"
    done = outer("--dry-run", "--quiet", "rules", "--", "masks_all", settings=paper)
    assert done.returncode == 0, done.stdout
    assert "masks_comparison" in done.stdout


def test_a_wrong_key_is_said(outer):
    done = outer("--dry-run", settings=SETTINGS.replace("methods:", "metods:"))
    assert done.returncode != 0
    assert "metods" in done.stdout

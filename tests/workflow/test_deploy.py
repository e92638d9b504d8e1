"""The workflow deployed from a host into another folder, as the catalogue of workflows says.

The host is a repository in a folder of the test: git is told to take it for the address.
"""

import os
import shutil
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT, SNAKEMAKE, make_image

ADDRESS = "https://github.com/somebody/mirimask"
# what `snakedeploy deploy-workflow` writes
DEPLOYED = """
configfile: "config/config.yaml"

module mirimask:
    snakefile: github("somebody/mirimask", path="workflow/Snakefile", tag="v1")
    config: config

use rule * from mirimask
"""
SETTINGS = {
    "study": "small",
    "images": "mine.tsv",
    "archive": {"source": "local"},
    "crop": None,
    "methods": ["value_1", "segmentation"],
}


@pytest.fixture
def host(tmp_path):
    """The folder to deploy into, and the environment in which git finds the host there."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a git repository: which files are the project's is not known")
    repository = tmp_path / "host"
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, repository / name)
    (tmp_path / "gitconfig").write_text(
        f'[url "{repository}"]\n  insteadOf = {ADDRESS}\n[user]\n  name = a\n  email = a@b.c\n'
    )
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"], ["tag", "v1"]):
        subprocess.run(["git", "-C", repository, *words], check=True, env=environment)
    folder = tmp_path / "deployed"
    folder.mkdir()
    return folder, environment


def run_an_image(folder, environment, snakemake=SNAKEMAKE):
    """The files of an image of one's own, with jobs in Snakemake's process and outside of it."""
    row = make_image(folder, "A", seed=0)
    (folder / "mine.tsv").write_text("\t".join(row) + "\n" + "\t".join(row.values()) + "\n")
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(SETTINGS))
    # the last one is drawn by a process of its own, which has to find the library too
    names = ("tables/table3.csv", "labels/A/recommended.fits", "figures/figure1.png")
    made = [f"results/small/{name}" for name in names]
    done = subprocess.run(
        [*snakemake, "--cores", "2", "--", *made],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert all((folder / name).stat().st_size for name in made)


def test_a_tag_on_a_host_runs(host):
    folder, environment = host
    (folder / "workflow").mkdir()
    (folder / "workflow" / "Snakefile").write_text(DEPLOYED)
    (folder / "config").mkdir()
    shutil.copytree(ROOT / "profiles", folder / "profiles")
    run_an_image(folder, environment)


def test_snakedeploy(host, tmp_path):
    """As docs/in-another-workflow.md has it, in an environment with what it installs and no more.

    `make test-deploy` installs snakedeploy; SNAKEDEPLOY names the program.
    """
    if "SNAKEDEPLOY" not in os.environ:
        pytest.skip("snakedeploy is in an environment of its own: make test-deploy")
    folder, environment = host
    environment.pop("PYTHONPATH", None)
    fresh = tmp_path / "environment"
    lock = ROOT / "envs" / "requirements.lock"
    for command in (
        [sys.executable, "-m", "venv", fresh],
        [fresh / "bin" / "pip", "install", "-q", "--require-hashes", "--requirement", lock],
        [fresh / "bin" / "pip", "install", "-q", "--no-deps", f"git+{ADDRESS}@v1"],
    ):
        subprocess.run(command, check=True, env=environment)
    subprocess.run(
        [os.environ["SNAKEDEPLOY"], "deploy-workflow", ADDRESS, ".", "--tag", "v1"],
        cwd=folder,
        env=environment,
        check=True,
    )
    assert (folder / "config" / "detectors.yaml").is_file()
    assert (folder / "profiles" / "default" / "config.yaml").is_file()
    run_an_image(folder, environment, [fresh / "bin" / "snakemake"])


def test_what_the_catalogue_asks_for():
    """Its page on adding workflows: what it lists, and what it takes for standardized usage."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in readme
    assert "workflow" in readme
    assert (ROOT / "workflow" / "Snakefile").is_file()
    assert list((ROOT / "workflow" / "rules").glob("*.smk"))
    assert (ROOT / "config" / "README.md").is_file()
    text = (ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8")
    usage = yaml.safe_load(text)["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}

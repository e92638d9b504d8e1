# Set-up, the simulated study, the tests. `make help` lists the targets.
PYTHON ?= python3
CORES  ?= $(shell $(PYTHON) -c 'import os; print(min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()))')
BIN    := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# each process would compile the modules of this project again
unexport PYTHONDONTWRITEBYTECODE

REAL   ?= ../shared/real
comma  := ,
.PHONY: help study validate-simulation findings peers bench test walls fuzz test-slurm lint format lock clean picture floors rulegraph docs test-deploy
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 22

# Snakemake keeps its own files below the home folder, or where XDG_CACHE_HOME says.
CACHE = $${XDG_CACHE_HOME:-$$HOME/.cache}
.PHONY: env
env: .venv/study.stamp  ## set up .venv: snakemake, mirimask and all that a study needs
	@echo ". .venv/bin/activate, and snakemake and mirimask are at hand"

study: .venv/study.stamp  ## set up, then run the simulated study into results/simulated/
	@mkdir -p "$(CACHE)" 2>/dev/null && test -w "$(CACHE)" || { echo "error: $(CACHE): Snakemake has to write there." \
	  "Name a folder where it may: make XDG_CACHE_HOME=/tmp/cache study" >&2; exit 1; }
	snakemake --cores $(CORES) --configfile config/simulated.yaml \
	  --report results/simulated/report.zip --report-after-run
	@$(BIN)/python workflow/scripts/show_study.py results/simulated

FRESH ?= 5001 5002 5003
validate-simulation: .venv/study.stamp  ## how close the simulated fields come to the paper's numbers and to real data in REAL
	snakemake --cores $(CORES) --configfile config/simulated.yaml -- simulated_archive results/simulated/tables/table3.csv
	python -W ignore benchmarks/printed_table.py --seeds $(FRESH) --only "as configured"
	python -W ignore workflow/scripts/validate_simulation.py --real $(REAL) \
	  --cells benchmarks/results/printed_table_$(firstword $(FRESH)).csv

# What cannot be installed is a row "not installed" of the comparison.
# A table of your own images to judge the masks on too; here the real image of the tests.
OWN_IMAGES ?= $(if $(wildcard $(REAL)/images),tests/real/images.tsv)
peers: .venv/peers.stamp .venv-jwst/stamp  ## install the detectors of others, then set all masks side by side: docs/side_by_side_tables.md
	@command -v source-extractor >/dev/null && command -v astnoisechisel >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	  apt-get install -y -qq --no-install-recommends source-extractor gnuastro >/dev/null; } || \
	  echo "SExtractor or NoiseChisel is not installed. As root on Debian: apt-get install source-extractor gnuastro" >&2
	snakemake --cores $(CORES) side_by_side \
	  --configfile config/simulated.yaml config/fresh.yaml config/stress.yaml config/side_by_side.yaml \
	  $(if $(OWN_IMAGES),--config 'images=[config/images.tsv$(comma) config/stress_images.tsv$(comma) $(OWN_IMAGES)]')
	cp results/side_by_side/side_by_side/verdict.md docs/side_by_side_tables.md
	cp results/side_by_side/side_by_side/factorial.md docs/filter_and_noise.md
	cp results/side_by_side/side_by_side/curves.md docs/every_mask.md
	cp results/side_by_side/side_by_side/use.md docs/use_of_every_mask.md
	cp results/side_by_side/side_by_side/verdict.png docs/images/side-by-side.png

findings: .venv/study.stamp  ## what docs/findings.md quotes, from fields that no setting was chosen on
	snakemake --cores $(CORES) findings --configfile config/simulated.yaml config/fresh.yaml
	cp results/fresh/findings.md docs/findings-fresh.md

test: .venv/test.stamp  ## set up, then run all tests
	pytest -n $(CORES) --dist loadfile --no-loadscope-reorder

BENCHMARKS = six_masks time_recommended time_verdicts mosaic many_images study paper_part job_memory scaling
bench: .venv/peers.stamp  ## time and memory beside numpy, sep and a plain process, and up to 700 images: benchmarks/results.md
	for name in $(BENCHMARKS); do python -W ignore benchmarks/$$name.py || exit 1; done
	python benchmarks/write_results.py

IMAGES ?= 2
test-slurm: .venv/slurm.stamp  ## the simulated study, IMAGES of it, through a Slurm on this machine
	@command -v slurmctld /usr/sbin/slurmctld >/dev/null || command -v sinfo >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || \
	  { echo "error: there is no Slurm here. As root on Debian: apt-get install slurm-wlm munge" >&2; exit 1; }; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null; }
	TEST_SLURM=$(IMAGES) .venv/slurm/bin/python -m pytest -m slurm -rs --durations=0 tests/slurm

test-deploy: .venv/deploy.stamp  ## snakedeploy puts the workflow into another folder, where it runs
	SNAKEDEPLOY=$(CURDIR)/.venv/deploy/bin/snakedeploy pytest tests/workflow/test_deploy.py

# tests/fuzz/README.md tells what is tried and how to repeat one case.
SEED   ?= 1
COUNT  ?= 600
fuzz: .venv/test.stamp  ## damaged images and catalogues, misbehaving archives, kills: about 4 minutes; COUNT and SEED of the cases
	python tests/fuzz/all.py --count $(COUNT) --seed $(SEED)

walls: .venv/test.stamp  ## every import is one that workflow/study/walls.py allows
	pytest tests/unit/test_walls.py

lint: .venv/test.stamp  ## ruff, snakefmt, mypy, snakemake --lint
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	mypy
	snakemake --lint

format: .venv/test.stamp  ## rewrite the sources in the project's format
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow

lock:  ## pin the newest versions again, with hashes
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv
	cd envs && for name in requirements requirements-dev requirements-peers requirements-slurm \
	    requirements-docs requirements-deploy; do \
	  ../.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
	    --generate-hashes --no-annotate --upgrade $$name.in --output-file $$name.lock; done
	rm -rf .venv-lock

clean:  ## remove what the simulated study made
	rm -rf results/simulated

.venv/study.stamp: envs/requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"error: Python 3.11 or newer is needed, {sys.executable} is {sys.version.split()[0]}. Name another one: make PYTHON=python3.12 study")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test.stamp: envs/requirements-dev.lock .venv/study.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

.venv/peers.stamp: envs/requirements-peers.lock .venv/study.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $< && touch $@ || \
	  echo "sep could not be installed" >&2

# 858 MB, in an environment of its own: it asks for other versions than the study is tested with.
.venv-jwst/stamp: envs/requirements-jwst.in
	$(PYTHON) -m venv .venv-jwst && \
	  .venv-jwst/bin/pip install --quiet --disable-pip-version-check --requirement $< && touch $@ || \
	  { rm -rf .venv-jwst; echo "the jwst package could not be installed" >&2; }

# The executors for a cluster, in an environment of their own on top of .venv.
.venv/slurm.stamp: envs/requirements-slurm.lock .venv/test.stamp
	$(PYTHON) -m venv .venv/slurm
	$(BIN)/python -c 'import site; print("import site; site.addsitedir(%r)" % site.getsitepackages()[0])' \
	  > "$$(.venv/slurm/bin/python -c 'import site; print(site.getsitepackages()[0])')/study.pth"
	.venv/slurm/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	sed 's|/.venv/bin/|/.venv/slurm/bin/|' $(BIN)/snakemake > .venv/slurm/bin/snakemake
	chmod +x .venv/slurm/bin/snakemake
	@touch $@

.venv/deploy.stamp: envs/requirements-deploy.lock .venv/test.stamp
	$(PYTHON) -m venv .venv/deploy
	.venv/deploy/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

# Sphinx, in an environment of its own on top of .venv.
.venv/docs.stamp: envs/requirements-docs.lock .venv/study.stamp
	$(PYTHON) -m venv .venv/docs
	$(BIN)/python -c 'import site; print("import site; site.addsitedir(%r)" % site.getsitepackages()[0])' \
	  > "$$(.venv/docs/bin/python -c 'import site; print(site.getsitepackages()[0])')/study.pth"
	.venv/docs/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

docs: .venv/docs.stamp  ## the site of docs/ and of the docstrings: build/docs/index.html
	rm -rf docs/modules build/docs
	.venv/docs/bin/python -m sphinx --quiet --fail-on-warning --keep-going --fresh-env \
	  --conf-dir docs . build/docs
	@echo "build/docs/index.html"

FUTURE_WORK = $(foreach method,value tiled_background inverse_mask fourier second_derivatives,results/$(1)/$(method)_1.fits)
picture: .venv/study.stamp  ## draw the pictures of README.md and docs/future-work.md again
	snakemake --cores $(CORES) --configfile config/simulated.yaml \
	  --config study=picture 'figures={figure4: [value_4.6, recommended]}' -- results/picture/figures/figure4/Img5.png
	cp results/picture/figures/figure4/Img5.png docs/images/recommended-simulated.png
	snakemake --cores $(CORES) --configfile config/stress.yaml -- $(call FUTURE_WORK,stress/masks/gradient)
	snakemake --cores $(CORES) --configfile config/simulated.yaml -- $(call FUTURE_WORK,simulated/masks/Img2)
	python docs/future_work.py

floors: .venv/study.stamp  ## draw the floors of docs/architecture.md again, list modules and files
	python docs/floors.py

# The graphs of docs/, drawn by snakemake and graphviz's dot.
PAPER_PART = $(foreach n,1 2 3,results/paper/tables/table$(n).md results/paper/figures/figure$(n).png) \
  results/paper/figures/figure4/Img1.png results/paper/figures/figure5/Img1.png \
  results/paper/comparison/summary.md
rulegraph: .venv/study.stamp  ## draw the graphs of docs/ again (needs graphviz)
	snakemake --quiet all --rulegraph -- $(PAPER_PART) | dot -Tsvg > docs/rulegraph.svg
	snakemake --quiet all --rulegraph --configfile config/simulated.yaml | dot -Tsvg -Grankdir=LR > docs/rulegraph-all.svg

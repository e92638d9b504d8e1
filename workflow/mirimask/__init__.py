"""Source masks in JWST MIRI images: slices, derivatives, verdicts and their evaluation.

The library knows arrays and tables. It never imports snakemake, never reads a
configuration or a path by itself; `archive` alone talks to a network, `simulate`
alone (with the truth-based evaluation) knows the truth, figures only draw.
"""

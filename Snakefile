# Front door: `snakemake --cores 8` here runs the study of config/config.yaml.
include: "workflow/Snakefile"

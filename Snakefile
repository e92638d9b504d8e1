# Front door: `snakemake --cores 8` here runs the study of config/config.yaml.
include: "workflow/Snakefile"


# An include never sets the default target; this does.
rule study:
    default_target: True
    input:
        rules.all.input,

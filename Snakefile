# Front door: `snakemake --cores 8` here runs the study of config/config.yaml.
include: "workflow/Snakefile"


# Here, because files of a study that is a module may be the outputs of other rules.
said(files.check_files, study)


# An include never sets the default target; this does.
rule study:
    """Everything that the study is run for: the target where none is named."""
    default_target: True
    input:
        rules.all.input,

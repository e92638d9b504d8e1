rule verdicts:
    input:
        mask="<results>/masks/{image}/{method}.fits",
        peaks="<results>/peaks/{image}.csv",
        sources="<results>/sources/{image}.ecsv",
        frame="<results>/frame/{image}.fits",
    output:
        verdicts="<results>/verdicts/{image}/{method}.csv",
        spots="<results>/spots/{image}/{method}.csv",
    log:
        "<logs>/verdicts/{image}/{method}.log",
    priority: 1  # before the figures, as Table 3 waits for all
    group:
        "image"
    params:
        **config["spots"],
        radius=config["verdict"]["radius"],
        near=config["verdict"]["near"],
        smallest_spot=config["verdict"]["smallest_spot"],
        code=code("give_verdicts"),
    message:
        "Judging {wildcards.method} on {wildcards.image}"
    run:
        here(
            "give_verdicts",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )

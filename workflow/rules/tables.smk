rule identity_tables:
    """Tables 1 and 2."""
    input:
        statistics=expand("<results>/statistics/{image}.json", image=study.images),
        manifest="<results>/manifest.tsv",
    output:
        table1_csv=report(
            "<results>/tables/table1.csv",
            caption="../report/table1.rst",
            category="Tables",
            labels={"table": "1: identification", "image": "all"},
        ),
        table1_md="<results>/tables/table1.md",
        table1_tex="<results>/tables/table1.tex",
        table2_csv=report(
            "<results>/tables/table2.csv",
            caption="../report/table2.rst",
            category="Tables",
            labels={"table": "2: statistics", "image": "all"},
        ),
        table2_md="<results>/tables/table2.md",
        table2_tex="<results>/tables/table2.tex",
    log:
        "<logs>/identity_tables.log",
    group:
        "study"
    params:
        code=code("identity_tables"),
    message:
        "Writing tables 1 and 2"
    run:
        here("identity_tables", input=input, output=output, params=params, log=log)


rule verdict_tables:
    """Table 3."""
    input:
        verdicts=expand(
            "<results>/verdicts/{image}/{method}.csv",
            image=study.images,
            method=dict.fromkeys(study.methods + study.other_methods),
        ),
        spots=expand(
            "<results>/spots/{image}/{method}.csv",
            image=study.images,
            method=dict.fromkeys(study.methods + study.other_methods),
        ),
        statistics=expand("<results>/statistics/{image}.json", image=study.images),
        frames=expand("<results>/frame/{image}.fits", image=study.images),
    output:
        csv=report(
            "<results>/tables/table3.csv",
            caption="../report/table3.rst",
            category="Tables",
            labels={"table": "3: verdicts", "image": "all"},
        ),
        md="<results>/tables/table3.md",
        tex="<results>/tables/table3.tex",
        variants="<results>/tables/table3_variants.csv",
        circles="<results>/tables/circles.csv",
    log:
        "<logs>/verdict_tables.log",
    group:
        "study"
    params:
        methods=study.methods,
        others=study.other_methods,
        domain=config["slice_domain"],
        other_domain=study.other_domain,
        scorer=config["verdict"]["scorer"],
        clutter_limit=config["clutter_limit"],
        radius=config["verdict"]["radius"],
        without_catalogue=study.without_catalogue,
        code=code("verdict_tables"),
    message:
        "Writing table 3"
    run:
        here("verdict_tables", input=input, output=output, params=params, log=log)


rule comparison:
    """Tables 1 to 3 against the paper's, cell by cell."""
    input:
        tables=expand("<results>/tables/table{number}.csv", number=[1, 2, 3]),
        published=inputs.published(study, 1, 2, 3),
    output:
        cells=expand("<results>/comparison/table{number}.csv", number=[1, 2, 3]),
        summary="<results>/comparison/summary.md",
    log:
        "<logs>/comparison.log",
    group:
        "study"
    params:
        published=files.contents(inputs.published(study, 1, 2, 3)),
        code=code("compare_published"),
    message:
        "Comparing with the published tables"
    run:
        here("compare_published", input=input, output=output, params=params, log=log)


rule claims:
    """The paper's claims, answered."""
    input:
        **inputs.truth_tables(study),
        table2="<results>/tables/table2.csv",
        table3="<results>/tables/table3.csv",
        published=inputs.published(study, 2, 3),
        chance="<results>/evaluation/chance.csv",
        reliability="<results>/evaluation/reliability.csv",
        structure=expand(
            "<results>/evaluation/structure/{image}.csv", image=study.images
        ),
        depths="<results>/evaluation/injection_depths.csv",
        compared="<results>/evaluation/curves_compared.csv",
        circles="<results>/tables/circles.csv",
        added="<results>/evaluation/added.csv",
    output:
        md="<results>/claims.md",
        csv=report(
            "<results>/claims.csv",
            caption="../report/claims.rst",
            category="Tables",
            labels={"table": "claims", "image": "all"},
        ),
    log:
        "<logs>/claims.log",
    group:
        "study"
    params:
        published=files.contents(inputs.published(study, 2, 3)),
        code=code("answer_claims"),
    message:
        "Answering the paper's claims"
    run:
        here("answer_claims", input=input, output=output, params=params, log=log)


rule findings:
    """What a study of simulated fields found, for docs/findings.md."""
    input:
        claims="<results>/claims.csv",
        added="<results>/evaluation/added.csv",
        use="<results>/evaluation/use.csv",
        chance="<results>/evaluation/chance.csv",
        depths="<results>/evaluation/injection_depths.csv",
        compared="<results>/evaluation/curves_compared.csv",
        false_rates="<results>/evaluation/false_rates.csv",
    output:
        md="<results>/findings.md",
    log:
        "<logs>/findings.log",
    group:
        "study"
    params:
        study=study.name,
        command="snakemake --cores 8 findings --configfile config/simulated.yaml"
        + (f" config/{study.name}.yaml" if study.name != "simulated" else ""),
        code=code("write_findings"),
    message:
        "Writing what the study found"
    run:
        here("write_findings", input=input, output=output, params=params, log=log)

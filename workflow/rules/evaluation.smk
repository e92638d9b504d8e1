rule chance:
    input:
        frame="<results>/frame/{image}.fits",
        peaks="<results>/peaks/{image}.csv",
        sources="<results>/sources/{image}.ecsv",
        masks=expand("<results>/masks/{{image}}/{method}.fits", method=study.by_chance),
        verdicts=expand(
            "<results>/verdicts/{{image}}/{method}.csv", method=study.by_chance
        ),
    output:
        csv="<results>/evaluation/chance/{image}.csv",
    log:
        "<logs>/chance/{image}.log",
    group:
        "image"
    params:
        **config["spots"],
        masks=study.labelled(study.by_chance),
        radius=config["verdict"]["radius"],
        near=config["verdict"]["near"],
        smallest_spot=config["verdict"]["smallest_spot"],
        positions=config["evaluation"]["positions"],
        seed=config["evaluation"]["seed"],
        code=code("chance_rates"),
    message:
        "Trying chance positions on the masks of {wildcards.image}"
    run:
        here(
            "chance_rates",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule chance_tables:
    input:
        csv=expand("<results>/evaluation/chance/{image}.csv", image=study.images),
        statistics=expand("<results>/statistics/{image}.json", image=study.images),
        circles="<results>/tables/circles.csv",
    output:
        all="<results>/evaluation/chance.csv",
        png=report(
            "<results>/evaluation/chance.png",
            caption="../report/chance.rst",
            category="Evaluation",
            labels={"measure": "chance"},
        ),
        pdf="<results>/evaluation/chance.pdf",
        csv=report(
            "<results>/tables/table3_chance.csv",
            caption="../report/table3_chance.rst",
            category="Tables",
            labels={"table": "3: beyond chance", "image": "all"},
        ),
        md="<results>/tables/table3_chance.md",
        tex="<results>/tables/table3_chance.tex",
    log:
        "<logs>/chance_tables.log",
    group:
        "study"
    params:
        domain=config["slice_domain"],
        other_domain=study.other_domain,
        figure_domain="crop",
        scorer=config["verdict"]["scorer"],
        code=code("chance_tables"),
    message:
        "Writing the chance-corrected companion of table 3"
    run:
        here("chance_tables", input=input, output=output, params=params, log=log)


rule false_detections:
    input:
        i2d="<results>/archive/{image}/i2d.fits",
        frame="<results>/frame/{image}.fits",
        psf=lambda wildcards: inputs.psf(study, wildcards.image),
        masks=expand("<results>/masks/{{image}}/{method}.fits", method=study.evaluated),
    output:
        csv="<results>/evaluation/reliability/{image}.csv",
    log:
        "<logs>/false_detections/{image}.log",
    group:
        "image"
    params:
        **config["spots"],
        masks=study.labelled(study.evaluated),
        blank_images=config["evaluation"]["blank_images"],
        segmentation=config["segmentation"],
        detectors=study.settings_of_parts(study.evaluated),
        seed=config["evaluation"]["seed"],
        code=code("false_detections"),
    message:
        "Making the masks of blank images of {wildcards.image}"
    run:
        here(
            "false_detections",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule reliability:
    input:
        csv=expand("<results>/evaluation/reliability/{image}.csv", image=study.images),
        statistics=expand("<results>/statistics/{image}.json", image=study.images),
    output:
        csv="<results>/evaluation/reliability.csv",
        png=report(
            "<results>/evaluation/reliability.png",
            caption="../report/reliability.rst",
            category="Evaluation",
            labels={"measure": "reliability"},
        ),
        pdf="<results>/evaluation/reliability.pdf",
    log:
        "<logs>/reliability.log",
    group:
        "study"
    params:
        code=code("reliability_summary"),
    message:
        "Adding up false detections"
    run:
        here("reliability_summary", input=input, output=output, params=params, log=log)


rule significance:
    input:
        verdicts=expand(
            "<results>/verdicts/{image}/{method}.csv",
            image=study.images,
            method=study.evaluated,
        ),
        statistics=expand("<results>/statistics/{image}.json", image=study.images),
    output:
        tests="<results>/evaluation/mcnemar.csv",
        recalls="<results>/evaluation/significance.csv",
        png=report(
            "<results>/evaluation/significance.png",
            caption="../report/significance.rst",
            category="Evaluation",
            labels={"measure": "significance"},
        ),
        pdf="<results>/evaluation/significance.pdf",
    log:
        "<logs>/significance.log",
    group:
        "study"
    params:
        masks=[
            study.labelled_name(name) for _ in study.images for name in study.evaluated
        ],
        bootstrap=config["evaluation"]["bootstrap"],
        seed=config["evaluation"]["seed"],
        code=code("significance_summary"),
    message:
        "Testing the methods against the segmentation"
    run:
        here("significance_summary", input=input, output=output, params=params, log=log)


rule judge_by_truth:
    input:
        frame="<results>/frame/{image}.fits",
        peaks="<results>/peaks/{image}.csv",
        truth="<results>/archive/{image}/truth.ecsv",
        masks=expand("<results>/masks/{{image}}/{method}.fits", method=study.evaluated),
        verdicts=expand(
            "<results>/verdicts/{{image}}/{method}.csv", method=study.evaluated
        ),
    output:
        completeness="<results>/evaluation/completeness/{image}.csv",
        purity="<results>/evaluation/purity/{image}.csv",
        verdicts="<results>/evaluation/agreement/{image}.csv",
    log:
        "<logs>/judge_by_truth/{image}.log",
    wildcard_constraints:
        image=study.images_from("simulated"),
    group:
        "image"
    params:
        **config["spots"],
        masks=study.labelled(study.evaluated),
        radius=config["verdict"]["radius"],
        near=config["verdict"]["near"],
        positions=config["evaluation"]["positions"],
        seen_snr=config["evaluation"]["seen_snr"],
        real_snr=config["evaluation"]["real_snr"],
        magnitudes=config["evaluation"]["truth_magnitudes"],
        seed=config["evaluation"]["seed"],
        code=code("judge_by_truth"),
    message:
        "Judging the masks of {wildcards.image} by its truth"
    run:
        here(
            "judge_by_truth",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule completeness:
    input:
        completeness=expand(
            "<results>/evaluation/completeness/{image}.csv", image=study.by_truth
        ),
        purity=expand("<results>/evaluation/purity/{image}.csv", image=study.by_truth),
    output:
        completeness="<results>/evaluation/completeness.csv",
        completeness_png=report(
            "<results>/evaluation/completeness.png",
            caption="../report/completeness.rst",
            category="Evaluation",
            labels={"measure": "completeness"},
        ),
        completeness_pdf="<results>/evaluation/completeness.pdf",
        purity="<results>/evaluation/purity.csv",
        purity_png=report(
            "<results>/evaluation/purity.png",
            caption="../report/purity.rst",
            category="Evaluation",
            labels={"measure": "purity"},
        ),
        purity_pdf="<results>/evaluation/purity.pdf",
    log:
        "<logs>/completeness.log",
    group:
        "study"
    params:
        code=code("truth_summary"),
    message:
        "Adding up completeness and purity"
    run:
        here("truth_summary", input=input, output=output, params=params, log=log)


rule false_rates:
    input:
        reliability="<results>/evaluation/reliability.csv",
        purity="<results>/evaluation/purity.csv",
    output:
        csv="<results>/evaluation/false_rates.csv",
        md="<results>/evaluation/false_rates.md",
    log:
        "<logs>/false_rates.log",
    group:
        "study"
    params:
        code=code("false_rates"),
    message:
        "Comparing false rates with the truth"
    run:
        here("false_rates", input=input, output=output, params=params, log=log)


rule agreement:
    input:
        csv=expand("<results>/evaluation/agreement/{image}.csv", image=study.by_truth),
        frames=expand("<results>/frame/{image}.fits", image=study.by_truth),
        peaks=expand("<results>/peaks/{image}.csv", image=study.by_truth),
        truths=expand("<results>/archive/{image}/truth.ecsv", image=study.by_truth),
        masks=expand(
            "<results>/masks/{image}/{method}.fits",
            image=study.by_truth,
            method=study.evaluated,
        ),
    output:
        agreement="<results>/evaluation/agreement.csv",
        png=report(
            "<results>/evaluation/agreement.png",
            caption="../report/agreement.rst",
            category="Evaluation",
            labels={"measure": "agreement"},
        ),
        pdf="<results>/evaluation/agreement.pdf",
        disagreements="<results>/evaluation/disagreements.csv",
        sheet_png=report(
            "<results>/evaluation/disagreements.png",
            caption="../report/disagreements.rst",
            category="Evaluation",
            labels={"measure": "disagreements"},
        ),
        sheet_pdf="<results>/evaluation/disagreements.pdf",
    log:
        "<logs>/agreement.log",
    group:
        "study"
    params:
        masks=study.labelled(study.evaluated),
        radius=config["verdict"]["radius"],
        near=config["verdict"]["near"],
        code=code("agreement_summary"),
    message:
        "Comparing verdicts with truth"
    run:
        here("agreement_summary", input=input, output=output, params=params, log=log)

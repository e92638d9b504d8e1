# Whole curves: stars added to every image, and every family of masks swept over its settings.

# how stars are added to the images that masks are swept on
SCENE = {
    "magnitudes": config["evaluation"]["curve_magnitudes"],
    "stars": config["evaluation"]["stars"],
    "realisations": config["evaluation"]["realisations"],
    "separation_fwhm": config["evaluation"]["separation_fwhm"],
    "free_fwhm": config["evaluation"]["free_fwhm"],
    "blank_images": config["evaluation"]["blank_images"],
    "real_snr": config["evaluation"]["real_snr"],
    "seed": config["evaluation"]["seed"],
}


rule inject_stars:
    input:
        frame="<results>/frame/{image}.fits",
        peaks="<results>/peaks/{image}.csv",
        psf=lambda wildcards: inputs.psf(study, wildcards.image),
    output:
        csv="<results>/evaluation/injection/{image}.csv",
    log:
        "<logs>/inject_stars/{image}.log",
    group:
        "image"
    params:
        methods=study.judged,
        detectors=study.settings_of_parts(study.judged),
        magnitudes=config["evaluation"]["magnitudes"],
        stars=config["evaluation"]["stars"],
        stars_at_once=config["evaluation"]["stars_at_once"],
        separation_fwhm=config["evaluation"]["separation_fwhm"],
        free_fwhm=config["evaluation"]["free_fwhm"],
        segmentation=config["segmentation"],
        seed=config["evaluation"]["seed"],
        code=code("inject_stars"),
    message:
        "Adding stars to {wildcards.image}"
    run:
        here(
            "inject_stars",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule injection_summary:
    input:
        csv=expand("<results>/evaluation/injection/{image}.csv", image=study.images),
    output:
        csv="<results>/evaluation/injection.csv",
        depths="<results>/evaluation/injection_depths.csv",
        png=report(
            "<results>/evaluation/injection.png",
            caption="../report/injection.rst",
            category="Evaluation",
            labels={"measure": "injection"},
        ),
        pdf="<results>/evaluation/injection.pdf",
    log:
        "<logs>/injection_summary.log",
    group:
        "study"
    params:
        draws=config["evaluation"]["depth_draws"],
        seed=config["evaluation"]["seed"],
        surveyed=study.of_cosmos_web,
        code=code("injection_summary"),
    message:
        "Fitting the completeness curves"
    run:
        here("injection_summary", input=input, output=output, params=params, log=log)


rule sweep_curves:
    input:
        unpack(lambda wildcards: inputs.truth(study, wildcards.image)),
        frame="<results>/frame/{image}.fits",
        peaks="<results>/peaks/{image}.csv",
        psf=lambda wildcards: inputs.psf(study, wildcards.image),
    output:
        csv="<results>/evaluation/curves/{image}.csv",
    log:
        "<logs>/sweep_curves/{image}.log",
    group:
        "image"
    params:
        families=config["evaluation"]["curve_families"],
        detectors=study.settings_of(config["evaluation"]["curve_families"]),
        scene=SCENE,
        segmentation=config["segmentation"],
        code=code("sweep_curves"),
    message:
        "Sweeping the masks of {wildcards.image}"
    run:
        here(
            "sweep_curves",
            input=input,
            output=output,
            params=params,
            wildcards=wildcards,
            log=log,
        )


rule curve_summary:
    input:
        csv=expand("<results>/evaluation/curves/{image}.csv", image=study.images),
        depths="<results>/evaluation/injection_depths.csv",
    output:
        csv="<results>/evaluation/curves.csv",
        compared="<results>/evaluation/curves_compared.csv",
        png=report(
            "<results>/evaluation/curves.png",
            caption="../report/curves.rst",
            category="Evaluation",
            labels={"measure": "curves"},
        ),
        pdf="<results>/evaluation/curves.pdf",
    log:
        "<logs>/curve_summary.log",
    group:
        "study"
    params:
        rates=config["evaluation"]["curve_rates"],
        areas=config["evaluation"]["curve_areas"],
        magnitudes=config["evaluation"]["curve_magnitudes"],
        draws=config["evaluation"]["bootstrap"],
        seed=config["evaluation"]["seed"],
        code=code("curve_summary"),
    message:
        "Comparing masks at equal false rate and at equal area"
    run:
        here("curve_summary", input=input, output=output, params=params, log=log)

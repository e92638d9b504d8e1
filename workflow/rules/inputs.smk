# What rules take in and do that needs Snakemake's own objects.

IMAGES, ARCHIVE_SERVERS = study.images, study.archive_servers


def left_by_another(job):
    """Whether another study left a job's files in the cache (--cache)."""
    return workflow.output_file_cache is not None and workflow.async_run(
        job.rule.cache.exists(job)
    )


def check_archive():
    """Before anything runs: an archive that is needed and out of reach is said at once."""
    images = {
        job.wildcards.image
        for job in workflow.dag.needrun_jobs()
        if job.rule.name in ("fetch_product", "fetch_catalogue")
        and not left_by_another(job)
    }
    if not images:
        return  # next to every run: what is imported below takes 0.4 s
    from mirimask.archive import Archive, check_reachable, is_cached

    archive, catalogue = Archive(**ARCHIVE_SERVERS), config["catalogue"]
    cached = (
        is_cached(
            archive,
            program=int(row["program"]),
            observation=int(row["observation"]),
            filter_name=row["filter"],
            catalogue=catalogue["table"],
            service=catalogue["service"],
            box_deg=catalogue["box_deg"],
        )
        for row in map(IMAGES.get, sorted(images))
    )
    if not all(cached):
        try:
            service = catalogue["service"]
            server = {f"{service}_server": archive.server_of(service)}
            check_reachable(archive.mast_server, **server)
        except MaskError as error:
            raise WorkflowError(str(error)) from None


def drawn(name, figure, **labels):
    """PNG and PDF of a figure, the PNG with its caption in the report."""
    path = f"<results>/figures/{name}"
    caption = f"../report/{figure.replace(' ', '')}.rst"
    return {
        "png": report(
            f"{path}.png",
            caption=caption,
            category="Figures",
            labels={"figure": figure, **labels},
        ),
        "pdf": f"{path}.pdf",
    }


def survey_rows(wildcards):
    """The row of each image that MAST has."""
    products = checkpoints.survey_products.get().output.products
    images = [row["image"] for row in read_table(products, what="survey")]
    return expand("<results>/survey/rows/{product}.json", product=images)


def snakemake_report(path, targets, log_file):
    """Have Snakemake write its report of the targets, with the configuration of this run."""
    with tempfile.TemporaryDirectory(
        prefix=".report.", dir=Path(path).parent
    ) as folder:
        settings = Path(folder) / "config.yaml"
        settings.write_text(yaml.safe_dump(workflow.config_settings.overwrite_config))
        partial = Path(folder) / Path(path).name
        command = [
            *(
                sys.executable,
                "-m",
                "snakemake",
                "--snakefile",
                workflow.main_snakefile,
            ),
            *("--configfile", str(settings), "--workflow-profile", "none", "--nolock"),
            *("--report", str(partial), "--", *targets),
        ]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        Path(log_file).write_text(done.stdout)
        if done.returncode:
            raise MaskError(f"Snakemake's report could not be written, see {log_file}.")
        with replacing(path) as temporary:
            shutil.copyfile(partial, temporary)

"""What the archives have for the images of a study, printed; nothing is downloaded."""

from job import script
from mirimask.archive import Archive, check_reachable, preview_image
from mirimask.errors import MaskError


def main(job):
    params = job.params
    if not params.images:
        print("No image of this study is from MAST: nothing would be downloaded.")
        return
    archive, service = Archive(**params.archive), params.catalogue["service"]
    check_reachable(archive.mast_server, **{f"{service}_server": archive.server_of(service)})
    offers, problems = [], []
    for image, row in params.images.items():
        try:
            found = preview_image(
                archive,
                program=int(row["program"]),
                observation=int(row["observation"]),
                filter_name=row["filter"],
                observation_id=row["observation_id"],
                catalogue=params.catalogue,
            )
        except MaskError as error:
            problems.append(image)
            print(f"{image}: {error}", flush=True)
            continue
        offers += found
        for offer in found:
            size = "" if offer.size is None else f"{offer.size / 1e6:.1f} MB"
            words = [size, offer.about, "here already" if offer.here else ""]
            print(f"{image}: {offer.name}: {', '.join(filter(None, words))}", flush=True)
    new = [offer for offer in offers if not offer.here and offer.kind != "catalogue"]
    unknown = sum(offer.size is None for offer in new)
    print(
        f"To download: {len(new)} files, {sum(offer.size or 0 for offer in new) / 1e6:,.1f} MB"
        + (f" and {unknown} of a size that MAST does not say" if unknown else "")
        + f", to {params.archive['downloads']}. Nothing was downloaded."
    )
    if problems:
        raise MaskError(f"{len(problems)} of {len(params.images)} images: see above.")


if "snakemake" in globals():
    script(main, snakemake)

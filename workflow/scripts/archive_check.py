"""What the archives have for the images of a study, printed; nothing is downloaded."""

from job import script
from mirimask.archive import Archive, check_reachable, preview_image, to_download
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
            print(f"{image}: {offer}", flush=True)
    where = params.archive["downloads"]
    print(f"To download: {to_download(offers)}, to {where}. Nothing was downloaded.")
    if problems:
        raise MaskError(f"{len(problems)} of {len(params.images)} images: see above.")


if "snakemake" in globals():
    script(main, snakemake)

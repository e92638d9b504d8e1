"""Products from MAST, catalogues from VizieR and IRSA: the only package that uses a network.

What is kept of a reply is one version of a file, whole, within limits of time and size, and is what
it is taken for; all else is refused with a sentence. (Of an `https://` or `s3://` address that a
person gives, `addresses` takes what comes.) The checks of `mirimask.image` come in; only
scripts and the command line import this package.
"""

from mirimask.archive.catalogues import cached_catalogue, fetch_catalogue
from mirimask.archive.downloads import KINDS, Fetched, Product, copy_out, shown
from mirimask.archive.mast import (
    cached_product,
    fetch_image,
    fetch_product,
    find_images,
    find_product,
    mixed_versions,
)
from mirimask.archive.network import Archive, FetchError, check_reachable, explain
from mirimask.archive.preview import Offer, preview_image, to_download

__all__ = [
    "KINDS",
    "Archive",
    "FetchError",
    "Fetched",
    "Offer",
    "Product",
    "cached_catalogue",
    "cached_product",
    "check_reachable",
    "copy_out",
    "explain",
    "fetch_catalogue",
    "fetch_image",
    "fetch_product",
    "find_images",
    "find_product",
    "mixed_versions",
    "preview_image",
    "shown",
    "to_download",
]

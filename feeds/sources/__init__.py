"""Formats whose documents come in pages from an interface, and not from URLs alone: how each is fetched."""

from collections.abc import Mapping

from feeds.source import Source
from feeds.sources import misp, otx, taxii

SOURCES: Mapping[str, Source] = {
    "misp-api": misp.fetch_pages,
    "otx": otx.fetch_pages,
    "taxii": taxii.fetch_pages,
}

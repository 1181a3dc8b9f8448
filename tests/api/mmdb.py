"""Databases of countries, made by the tests: each in the form of one of those who give them away."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

NETWORKS: Mapping[str, str] = {
    "45.155.205.0/24": "NL",
    "80.94.92.0/24": "RO",
    "8.8.8.0/24": "US",
    "9.9.9.0/24": "ZZ",
    "2001:67c::/32": "FR",
    "2001:678::/32": "DE",
}


def geolite2(code: str) -> dict[str, Any]:
    place = {"iso_code": code, "names": {"en": f"the country {code}"}, "geoname_id": 2750405}
    return {"continent": {"code": "EU"}, "country": place, "registered_country": {"iso_code": "GB"}}


def geolite2_city(code: str) -> dict[str, Any]:
    return {**geolite2(code), "city": {"names": {"en": "A city"}}, "location": {"time_zone": "Europe/Amsterdam"}}


def registered_only(code: str) -> dict[str, Any]:
    return {"registered_country": {"iso_code": code}}


def ipinfo(code: str) -> dict[str, Any]:
    return {"country": code, "country_name": f"The country {code}", "continent": "EU"}


def ipinfo_lite(code: str) -> dict[str, Any]:
    return {"country": f"The country {code}", "country_code": code, "asn": "AS1"}


FORMS = {
    "GeoLite2-Country": geolite2,
    "DBIP-City-Lite": geolite2_city,
    "GeoLite2-City": registered_only,
    "ipinfo generic_country_free.mmdb": ipinfo,
    "ipinfo generic_bundle_location_lite.mmdb": ipinfo_lite,
}


def write(
    path: Path,
    networks: Mapping[str, str] = NETWORKS,
    *,
    kind: str = "GeoLite2-Country",
    ip_version: int = 6,
) -> Path:
    """Write a database whole and put it in its place, as tools that update one do."""
    made = MMDBWriter(ip_version, kind, languages=["en"], ipv4_compatible=ip_version == 6)
    for network, code in networks.items():
        if ip_version == 6 or ":" not in network:
            made.insert_network(IPSet([network]), FORMS[kind](code))
    new = path.with_suffix(".new")
    made.to_db_file(str(new))
    new.replace(path)
    return path

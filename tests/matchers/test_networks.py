"""Which way a record went."""

import pytest

from matchers.networks import HomeNetworks, is_public
from tests.matchers.build import record
from trailhound.record import Value
from trailhound.settings import HOME_NETWORKS
from trailhound.severity import Direction

HOMES = HomeNetworks((*HOME_NETWORKS, "203.0.113.0/24"))


@pytest.mark.parametrize(
    ("source", "destination", "said", "direction"),
    [
        ("10.0.0.1", "8.8.8.8", {}, Direction.OUTBOUND),
        ("8.8.8.8", "10.0.0.1", {}, Direction.INBOUND),
        ("10.0.0.1", "192.168.1.1", {}, Direction.INTERNAL),
        ("8.8.8.8", "9.9.9.9", {}, Direction.EXTERNAL),
        ("203.0.113.9", "8.8.8.8", {}, Direction.OUTBOUND),
        ("100.64.0.1", "fd00::1", {}, Direction.INTERNAL),
        ("fe80::1", "2001:4860::8888", {}, Direction.OUTBOUND),
        ("8.8.8.8", "9.9.9.9", {"local_resp": True}, Direction.INBOUND),
        ("8.8.8.8", "9.9.9.9", {"local_orig": True}, Direction.OUTBOUND),
        ("8.8.8.8", "9.9.9.9", {"local_orig": False, "local_resp": False}, Direction.EXTERNAL),
        # Zeek takes documentation ranges for local; that is not believed.
        ("198.51.100.1", "9.9.9.9", {"local_orig": True}, Direction.EXTERNAL),
        # Nor does it make a stranger of a host that the settings know.
        ("10.0.0.1", "9.9.9.9", {"local_orig": False}, Direction.OUTBOUND),
        (None, None, {}, Direction.EXTERNAL),
    ],
)
def test_the_home_networks_give_the_direction(
    source: str | None, destination: str | None, said: dict[str, Value], direction: Direction
) -> None:
    assert HOMES.direction(record("conn", said), source, destination) is direction


@pytest.mark.parametrize(
    ("address", "public"),
    [("8.8.8.8", True), ("10.0.0.1", False), ("198.51.100.1", False), ("224.0.0.251", False), ("2001:4860::1", True)],
)
def test_an_address_of_one_host_of_the_internet_is_public(address: str, public: bool) -> None:  # noqa: FBT001
    assert is_public(address) == public

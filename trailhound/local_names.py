"""Names that only a site itself answers for: whatever a list says of them, it does not mean this site's."""

from collections.abc import Mapping

from publicsuffixlist import PublicSuffixList

from trailhound import canonical
from trailhound.errors import TrailError

# Suffixes of such names, and why. `test`, `example` and `invalid` are not here: nobody's network uses
# them, but whoever tries Trailhound out does.
LOCAL_SUFFIXES: Mapping[str, str] = {
    "local": "multicast DNS (RFC 6762), and many a domain of Active Directory",
    "localhost": "this machine (RFC 6761)",
    "localdomain": "default search suffix",
    "localnet": "suffix of small networks",
    "lan": "suffix of home routers",
    "home": "suffix of home routers, never delegated",
    "home.arpa": "home networks (RFC 8375)",
    "internal": "reserved for private use",
    "private": "suffix of company networks (RFC 6762, appendix G)",
    "corp": "suffix of company networks, never delegated",
    "intranet": "suffix of company networks (RFC 6762, appendix G)",
    "intra": "suffix of company networks",
    "intran": "suffix of company networks",
    "guest": "suffix of guest networks",
    "workgroup": "Windows without a domain",
    "in-addr.arpa": "reverse look-ups of IPv4",
    "ip6.arpa": "reverse look-ups of IPv6",
}


def read_suffix(text: str) -> str:
    """Give the canonical form of a suffix. Raises `TrailError` for what is none, and for one that would hide the world.

    A public suffix that a registry hands names out in (`com`, `co.uk`) is nobody's own.
    """
    name = canonical.name(text.removeprefix("*.").strip("."))
    if name is None or canonical.address(name):
        raise TrailError(f"{text!r} is no domain such as corp.example.com")
    if name not in LOCAL_SUFFIXES and PublicSuffixList(accept_unknown=False, only_icann=True).is_public(name):
        raise TrailError(f"{name!r} is a public suffix: no trail would ever be met in it again")
    return name

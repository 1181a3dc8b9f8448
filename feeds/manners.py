"""How Trailhound behaves towards those it fetches from, and what it bears."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manners:
    """Limits and politeness of fetching.

    At most `parallel` feeds are fetched at once, `per_host` of them from one host. A document has at most `max_bytes`
    as it is sent, a feed `max_feed_bytes` over all its documents. `connect_seconds` and `read_seconds` are for one step
    on the network, `total_seconds` for a whole document with all retries. `retries` come after a failure that may pass,
    the first after about `retry_seconds`, each further one after four times as long; a server that asks for more than
    `patience_seconds` is left alone until the next update. `redirects` are followed at most.

    `proxy` is a URL (http or https), or empty; hosts that are or end in one of `direct` are reached without it.
    `ca_file` holds certificates that are trusted beside those of the system. Only public addresses are reached, and
    those in `reachable`; behind a proxy it is the proxy that resolves names, and only addresses in URLs are checked.
    `secrets` is the folder of secrets.
    """

    parallel: int = 4
    per_host: int = 2
    max_bytes: int = 512 * MIB
    max_feed_bytes: int = 2048 * MIB
    connect_seconds: float = 15.0
    read_seconds: float = 30.0
    total_seconds: float = 600.0
    retries: int = 2
    retry_seconds: float = 2.0
    patience_seconds: float = 60.0
    redirects: int = 5
    proxy: str = ""
    direct: tuple[str, ...] = ()
    ca_file: Path | None = None
    reachable: tuple[Network, ...] = ()
    secrets: Path | None = None

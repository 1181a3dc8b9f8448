"""Heuristics: what no indicator knows. To add one: write its module, add it here, put samples beside the tests.

A package of the site's own brings heuristics by the entry point group `trailhound.heuristics`; each entry is a
`Heuristic`.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from matchers.heuristics import choice
from matchers.heuristics.content_type import CONTENT_TYPE
from matchers.heuristics.direct_download import DIRECT_DOWNLOAD
from matchers.heuristics.dns_exhaustion import DNS_EXHAUSTION
from matchers.heuristics.dns_tunnel import DNS_TUNNEL
from matchers.heuristics.generated_name import GENERATED_NAME
from matchers.heuristics.heuristic import Chosen, Heuristic
from matchers.heuristics.host_sweep import HOST_SWEEP
from matchers.heuristics.infection import INFECTION
from matchers.heuristics.iot_download import IOT_DOWNLOAD
from matchers.heuristics.long_name import LONG_NAME
from matchers.heuristics.missing_host import MISSING_HOST
from matchers.heuristics.nxdomain_excess import NXDOMAIN_EXCESS
from matchers.heuristics.obsolete_user_agent import OBSOLETE_USER_AGENT
from matchers.heuristics.odd_certificate import ODD_CERTIFICATE
from matchers.heuristics.password_guessing import PASSWORD_GUESSING
from matchers.heuristics.password_spraying import PASSWORD_SPRAYING
from matchers.heuristics.port_scan import PORT_SCAN
from matchers.heuristics.proxy_probe import PROXY_PROBE
from matchers.heuristics.requests.watching import REQUESTS
from matchers.heuristics.seized_domain import SEIZED_DOMAIN
from matchers.heuristics.sinkhole_response import SINKHOLE_RESPONSE
from matchers.heuristics.sinkholed import PARKED, SINKHOLED
from matchers.heuristics.slow_port_scan import SLOW_PORT_SCAN
from matchers.heuristics.udp_scan import UDP_SCAN
from matchers.heuristics.user_agent import USER_AGENT
from matchers.heuristics.web_scan import WEB_SCAN

BUILT_IN: tuple[Heuristic, ...] = (
    PORT_SCAN,
    SLOW_PORT_SCAN,
    UDP_SCAN,
    HOST_SWEEP,
    INFECTION,
    CONTENT_TYPE,
    LONG_NAME,
    DNS_EXHAUSTION,
    NXDOMAIN_EXCESS,
    GENERATED_NAME,
    DNS_TUNNEL,
    SINKHOLED,
    PARKED,
    WEB_SCAN,
    USER_AGENT,
    OBSOLETE_USER_AGENT,
    MISSING_HOST,
    PROXY_PROBE,
    IOT_DOWNLOAD,
    DIRECT_DOWNLOAD,
    SINKHOLE_RESPONSE,
    SEIZED_DOMAIN,
    *REQUESTS,
    ODD_CERTIFICATE,
    PASSWORD_GUESSING,
    PASSWORD_SPRAYING,
)
GROUP = "trailhound.heuristics"


@lru_cache(maxsize=1)
def registry() -> Mapping[str, Heuristic]:
    """Give all heuristics by name, those of installed packages too. Raises `SettingsError` for one that is none."""
    return choice.installed(Heuristic, BUILT_IN, GROUP)


def chosen(
    disabled: Sequence[str],
    also: Sequence[str],
    thresholds: Mapping[str, Mapping[str, float]],
    others: Collection[str] = (),
) -> list[Chosen]:
    """Give the heuristics that settings ask for. `others` are names that are no heuristics, but may be said.

    Raises `SettingsError` that names the key and what was expected.
    """
    known = registry()
    choice.refuse_unknown([*known, *others], disabled=disabled, also=also, thresholds=thresholds)
    said = {one.name: choice.thresholds_of(one, thresholds.get(one.name, {})) for one in known.values()}
    on = [one for one in known.values() if (one.enabled or one.name in also) and one.name not in disabled]
    return [Chosen(one, said[one.name]) for one in on]

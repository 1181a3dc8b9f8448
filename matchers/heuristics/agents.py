"""User agents that only attackers' tools and malware have, and those of programs that nobody should run any more."""

from collections.abc import Sequence
from functools import lru_cache

import re2

# Tool -> how its user agent reads. Ordinary libraries (curl, python-requests, Go-http-client) are none.
TOOLS: Sequence[tuple[str, str]] = (
    ("masscan", r"\bmasscan"),
    ("nmap", r"\bnmap scripting engine|\bnmap\b"),
    ("zgrab", r"\bzgrab"),
    ("sqlmap", r"\bsqlmap\b"),
    ("nikto", r"\bnikto\b"),
    ("dirbuster", r"\bdirbuster\b"),
    ("gobuster", r"\bgobuster\b"),
    ("feroxbuster", r"\bferoxbuster\b"),
    ("ffuf", r"\bfuzz faster u fool\b|\bffuf\b"),
    ("wfuzz", r"\bwfuzz\b"),
    ("dirsearch", r"\bdirsearch\b"),
    ("whatweb", r"\bwhatweb\b"),
    ("wpscan", r"\bwpscan\b"),
    ("joomscan", r"\bjoomscan\b"),
    ("nuclei", r"\bnuclei\b"),
    ("httpx", r"\bhttpx - open-source project"),
    ("jaeles", r"\bjaeles\b"),
    ("arachni", r"\barachni\b"),
    ("skipfish", r"\bskipfish\b"),
    ("w3af", r"\bw3af\b"),
    ("acunetix", r"\bacunetix"),
    ("netsparker", r"\bnetsparker"),
    ("nessus", r"\bnessus\b"),
    ("openvas", r"\bopenvas\b"),
    ("qualys", r"\bqualys\b"),
    ("burp", r"\bburpsuite\b|\bburp collaborator"),
    ("zap", r"\bowasp[ _-]?zap\b|\bzaproxy\b"),
    ("havij", r"\bhavij\b"),
    ("bsqlbf", r"\bbsqlbf\b"),
    ("commix", r"\bcommix\b"),
    ("hydra", r"mozilla/[45]\.0 \(hydra\)"),
    ("medusa", r"\bmedusa/\d"),
    ("brutus", r"\bbrutus/aet\b"),
    ("zmeu", r"\bzmeu\b"),
    ("morfeus", r"\bmorfeus\b"),
    ("jorgee", r"\bjorgee\b"),
    ("muieblackcat", r"\bmuieblackcat\b"),
    ("datacha0s", r"\bdatacha0s\b"),
    ("metasploit", r"\bmetasploit\b|mozilla/4\.0 \(compatible; msie 6\.[01]; windows nt\)$"),
    ("l9explore", r"\bl9(?:explore|tcpid)\b"),
    ("libredtail", r"\blibredtail\b"),
    ("mirai", r"\bmirai\b|^hello,? ?world$|^botnet\b|\bkrebsonsecurity\b"),
    ("gafgyt", r"\bgafgyt\b|\bxtc botnet\b|\bdark nexus\b"),
    ("shellshock", r"\(\) *\{ *[:_a-z]"),
    ("log4shell", r"\bjndi:|\$\{[^}]*(?:lower:|upper:|::-)"),
    ("injection", r"<\?php\b|<script\b|\bunion[ +]+(?:all[ +]+)?select\b|/bin/(?:ba|da)?sh\b"),
    ("certutil", r"\bcertutil url agent\b"),
    ("autoit", r"^autoit\b"),
    ("bitsadmin script", r"^wininet\b.*loader|^(?:down)?loader(?:/[\d.]+)?$"),
    ("rookie", r"^rookie/\d"),
    ("asyncrat", r"\basyncrat\b|\bnjrat\b|\bremcos\b|\bquasar(?:rat)?\b"),
    ("zeus", r"^(?:zeus|citadel|pony|lokibot|formbook|azorult|smoke ?loader)\b"),
    ("lokibot", r"\bcharon; ?inferno\b"),
    ("stealer", r"^(?:raccoon|vidar|redline|arkei|oski|predator|record|mozi)(?:stealer|bot)?(?:[ /]\d\S*)?$"),
    ("email harvester", r"\bemail ?(?:siphon|wolf|collector|extractor)|\batomic_email_hunter"),
)
# Obsolete program -> how its user agent reads.
OBSOLETE: Sequence[tuple[str, str]] = (
    (
        "Windows before Vista",
        r"\bwindows nt (?:[34]\.\d+|5\.[0-2])\b|\bwindows (?:95|98|me|2000|xp|ce)\b|\bwin(?:95|98)\b",
    ),
    ("Internet Explorer before 7", r"\bmsie [1-6]\.\d"),
    ("Firefox before 20", r"\bfirefox/1?\d(?:\.|$| )"),
    ("Chrome before 30", r"\bchrome/[12]?\d\."),
    ("Android before 4", r"\bandroid [0-3]\."),
    ("iOS before 5", r"\b(?:iphone|cpu) os [1-4]_\d"),
    ("Opera before 13", r"\bopera[/ ](?:[1-9]|1[0-2])\.\d"),
)
# Programs of today that call themselves by an old name; a service, not a browser.
_NO_BROWSER = rb"(?i)\b(?:fct|forticlient|microsoft-|windows-update|cryptoapi|bits|wsus|office|outlook|onedrive)\b"


def _set_of(table: Sequence[tuple[str, str]]) -> re2.Set:
    options = re2.Options()
    options.case_sensitive = False
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_capture = True
    options.max_mem = 64 * 1024 * 1024
    patterns = re2.Set.SearchSet(options)
    for _, pattern in table:
        patterns.Add(pattern.encode())
    patterns.Compile()
    return patterns


_TOOLS, _OBSOLETE = _set_of(TOOLS), _set_of(OBSOLETE)
_OTHER = re2.compile(_NO_BROWSER)
_LONGEST = 4096  # Characters of a user agent that are looked at.


@lru_cache(maxsize=4096)
def tool(agent: str) -> str | None:
    """Give the tool that a user agent is of, None for an ordinary one."""
    found = _TOOLS.Match(_bytes(agent))
    return TOOLS[min(found)][0] if found else None


@lru_cache(maxsize=4096)
def obsolete(agent: str) -> str | None:
    """Give the obsolete program that a user agent is of, None for any other; a tool is none."""
    if _OTHER.search(_bytes(agent)) is not None or tool(agent) is not None:
        return None
    found = _OBSOLETE.Match(_bytes(agent))
    return OBSOLETE[min(found)][0] if found else None


def _bytes(agent: str) -> bytes:
    return agent.strip()[:_LONGEST].replace("\n", " ").encode("utf-8", "surrogatepass")

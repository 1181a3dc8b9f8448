"""From free text ("emotet (malware)", "known attacker") to class and confidence: one table, first match wins.

`docs/trails.md` explains the choices.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from trailhound.trail import TrailClass as Class

CATEGORIES = ("malware", "malicious", "suspicious")
_CATEGORY = re.compile(r"\s*\((malware|malicious|suspicious)\)$")


class Rating(NamedTuple):
    """What a text says of a trail: its class, and how sure that is (0-100)."""

    class_: Class
    confidence: int


class _Row(NamedTuple):
    """One line of the table: where it holds ("" is everywhere), which words, what they mean."""

    category: str
    words: str
    class_: Class
    confidence: int


_TABLE = (
    # What a value is, whatever folder it is filed in.
    _Row("", r"\bsinkhole|\bsinkholed\b", Class.SINKHOLE, 90),
    _Row("", r"\bparking\b|\bparked\b|\bsuspended domain\b", Class.PARKED, 70),
    _Row("", r"\bhistory\b", Class.SUSPICIOUS, 20),
    _Row("", r"\bmass scanner cidr\b", Class.SCANNER, 60),
    _Row("", r"\bmass scanner\b|\bcrawlers?\b|\brecon\b|\bscanners?\b|\bscanning\b", Class.SCANNER, 80),
    _Row("", r"\bspammers?\b|\bspam\b|\bspamtool\b|\bsms flooder\b", Class.SPAM, 60),
    _Row("", r"\bphish|\bscamtool\b", Class.PHISHING, 70),
    # Maltrail's folder `malware`: one family a file, nearly all of it servers that the family talks to.
    _Row("malware", r"c2\b|\bc&c\b|\bcnc\b|\bbotnet", Class.C2, 80),
    _Row("malware", r"^cobaltstrike", Class.C2, 80),
    _Row("malware", r"", Class.MALWARE, 80),
    # Maltrail's folder `malicious`: kits, frameworks, redirectors.
    _Row("malicious", r"^ek\b", Class.EXPLOIT, 70),
    _Row("malicious", r"c2\b|^c2 panel\b", Class.C2, 80),
    _Row("malicious", r"phishtool\b|^(evilginx|georgeginx|gophish|perswaysion)\b", Class.PHISHING, 70),
    _Row(
        "malicious",
        r"^(brc4|chromekatz|coreimpact|covenant|elf reversessh|havoc|katyabot|ligolo tunnel|metasploit|mythic|nighthawk"
        r"|nimplant|python byob|redguard|redwarden|sliver|spiderlabs responder|supremebot|viper|wraithnet)\b",
        Class.C2,
        75,
    ),
    _Row("malicious", r"^(araneida|arl|brchecker|cyberstrikeai|filebroser)\b", Class.ATTACKER, 60),
    _Row("malicious", r"^interactsh\b", Class.EXPLOIT, 60),
    _Row("malicious", r"^(bad proxy|rogue dns)\b", Class.SUSPICIOUS, 60),
    _Row("malicious", r"", Class.MALWARE, 70),
    # Maltrail's folder `suspicious`, and feeds that speak its language.
    _Row("suspicious", r"\bc2 cert\b", Class.C2, 85),
    _Row("suspicious", r"\btls client\b", Class.MALWARE, 40),
    _Row("suspicious", r"^compromised\b", Class.ATTACKER, 50),
    _Row("suspicious", r"\bweb shells?\b", Class.EXPLOIT, 60),
    _Row("suspicious", r"^domain$", Class.SUSPICIOUS, 25),
    _Row("suspicious", r"\bproxy\b|\bonion\b|\btor\b|\bi2p\b|\bvpn\b", Class.ANONYMIZER, 70),
    _Row(
        "suspicious",
        r"^(dynamic domain|free web hosting|ipinfo|computrace|dnspod|blockchain dns)\b|\btunneling\b"
        r"|\bgosimpletunnel\b",
        Class.POLICY,
        70,
    ),
    _Row("suspicious", r"^bad reputation\b", Class.ATTACKER, 40),
    _Row("suspicious", r"", Class.SUSPICIOUS, 50),
    # Feeds and people who write without a category.
    _Row("", r"\bphishing\b|\bcredential harvest", Class.PHISHING, 70),
    _Row(
        "", r"\bc2s?\b|\bc&c\b|\bcnc\b|\bbotnets?\b|\bcommand and control\b|\bcobalt ?strike\b|\bcobalt\b", Class.C2, 75
    ),
    _Row("", r"\bproton(vpn)?\b|\btor\b|\bi2p\b|\bonion\b|\bproxy\b|\bproxies\b|\bvpns?\b", Class.ANONYMIZER, 70),
    _Row("", r"\bexploit(ation|s|ing)?\b|\blog4j\b|\blog4shell\b|\bweb ?shells?\b", Class.EXPLOIT, 60),
    _Row("", r"\bpotential malware site\b", Class.MALWARE, 50),
    _Row("", r"\bmalware\b|\bransomware\b|\btrojan\b|\bstealer\b|\bmalicious\b", Class.MALWARE, 60),
    _Row("", r"\battackers?\b|\bbrute ?force|\bcompromised\b|\babusers?\b|\bdshield\b", Class.ATTACKER, 50),
    _Row("", r"\breputation\b|\bban ?list\b|\bblock ?list\b|\bblack ?list(ed)?\b|\bfirehol\b", Class.ATTACKER, 40),
    _Row(
        "",
        r"\bdynamic (dns|domain)\b|\bfree (web )?hosting\b|\bipinfo\b|\bdns over https\b|\bdoh\b|\bpastebin\b"
        r"|\bmega ?upload ?sites\b|\bfile ?transfer",
        Class.POLICY,
        60,
    ),
    _Row("", r"\bsuspicious\b|\bpua\b|\bcrypto mining\b|\badware\b", Class.SUSPICIOUS, 50),
    # Lists known by their names: what they say of all their values.
    _Row("", r"^(openphish|phishtank)\b", Class.PHISHING, 70),
    _Row("", r"^(feodo ?tracker|drb ra)\b", Class.C2, 75),
    _Row("", r"^(urlhaus|threatfox)\b", Class.MALWARE, 70),
    _Row(
        "",
        r"^(alienvault|badips|binary ?defense|ciarmy|cins|et block|greensnow|ipsum|rutgers|sip|ssh|telnet)\b"
        r"|\bsans\b",
        Class.ATTACKER,
        40,
    ),
    # Whoever writes a name without a further word means the threat of that name.
    _Row("", r"", Class.MALWARE, 50),
)
_COMPILED = tuple((row.category, re.compile(row.words), Rating(row.class_, row.confidence)) for row in _TABLE)


@lru_cache(maxsize=8192)
def rate(info: str) -> Rating:
    """Give class and confidence of what a list calls a threat, such as "emotet (malware)" or "tor exit node"."""
    text = info.lower().replace("_", " ").replace("-", " ").strip()
    match = _CATEGORY.search(text)
    category = match[1] if match else ""
    if match:
        text = text[: match.start()]
    return next(
        rating
        for in_category, words, rating in _COMPILED
        if (not in_category or in_category == category) and words.search(text)
    )


@lru_cache(maxsize=8192)
def threat_name(info: str) -> str:
    """Give the name of the threat without the category that Maltrail appends; the class says that."""
    return _CATEGORY.sub("", info.strip()) or info.strip()

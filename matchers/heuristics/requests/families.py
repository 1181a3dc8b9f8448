"""The families of attacks by request: what each is, how sure a sign of it is, and whom it makes look bad wrongly."""

from dataclasses import dataclass

from matchers.findings import Technique

_EXPLOIT = Technique("T1190", "Exploit Public-Facing Application", "Initial Access")
_SCANNING = Technique("T1595.002", "Active Scanning: Vulnerability Scanning", "Reconnaissance")
_FILES = Technique("T1083", "File and Directory Discovery", "Discovery")
_CREDENTIALS = Technique("T1552.001", "Unsecured Credentials: Credentials In Files", "Credential Access")
_LEAK = Technique("T1041", "Exfiltration Over C2 Channel", "Exfiltration")
_BETWEEN = Technique("T1557", "Adversary-in-the-Middle", "Credential Access")
_TESTS = "Scanners and tests of the site's own"


@dataclass(frozen=True, slots=True)
class Family:
    """One family. `score` is how sure a request is one, whatever the answer; `is_grave` makes it count for more.

    `is_outbound` is set for what only matters when it leaves the home networks.
    """

    name: str
    title: str
    about: str
    technique: Technique
    score: int
    false_positives: tuple[str, ...]
    is_grave: bool = False
    is_outbound: bool = False


FAMILIES: tuple[Family, ...] = (
    Family(
        "remote-code-execution",
        "potential remote code execution",
        "A request carries commands of a shell, or words that make a server run them (Log4Shell, Shellshock, OGNL).",
        _EXPLOIT,
        70,
        (_TESTS, "Searches and documentation about commands, in the clear"),
        is_grave=True,
    ),
    Family(
        "sql-injection",
        "potential sql injection",
        "A request carries SQL where a value belongs.",
        _EXPLOIT,
        65,
        (_TESTS, "Applications that send SQL of their own in addresses"),
        is_grave=True,
    ),
    Family(
        "xml-injection",
        "potential xml injection",
        "A request carries XPath where a value belongs.",
        _EXPLOIT,
        55,
        (_TESTS,),
    ),
    Family(
        "php-injection",
        "potential php injection",
        "A request carries PHP, or has PHP read what is sent to it.",
        _EXPLOIT,
        65,
        (_TESTS,),
        is_grave=True,
    ),
    Family(
        "ldap-injection",
        "potential ldap injection",
        "A request carries a filter of LDAP where a value belongs.",
        _EXPLOIT,
        55,
        (_TESTS, "Directories that are searched by address"),
    ),
    Family(
        "cross-site-scripting",
        "potential xss injection",
        "A request carries script or an event handler that a page may show to others.",
        Technique("T1189", "Drive-by Compromise", "Initial Access"),
        55,
        (_TESTS, "Advertising that passes script in addresses"),
    ),
    Family(
        "xml-entity",
        "potential xxe injection",
        "A request carries XML that defines entities, by which a server can be made to read its own files.",
        _EXPLOIT,
        65,
        (_TESTS,),
        is_grave=True,
    ),
    Family(
        "template-injection",
        "potential ssti injection",
        "A request carries an expression of a template language, which a server may work out.",
        _EXPLOIT,
        50,
        (_TESTS, "Advertising with place holders that nobody filled in"),
    ),
    Family(
        "config-file-access",
        "config file access",
        "A request asks for a file of settings or keys that no visitor should see.",
        _CREDENTIALS,
        45,
        (_TESTS, "Crawlers of the Internet, which ask everybody"),
    ),
    Family(
        "directory-traversal",
        "potential directory traversal",
        "A request climbs out of the folder of the web server, or names a file of its system.",
        _FILES,
        60,
        (_TESTS, "Pages with relative addresses that climb too far"),
        is_grave=True,
    ),
    Family(
        "web-scan-tool",
        "potential web scan",
        "A request bears the mark of a tool that looks for weaknesses of web applications.",
        _SCANNING,
        60,
        (_TESTS,),
    ),
    Family(
        "dns-changer",
        "potential dns changer",
        "A request sets the name servers of a router, as pages do that take one over from within.",
        _BETWEEN,
        55,
        ("Administrators who set up a router",),
    ),
    Family(
        "data-leakage",
        "potential data leakage",
        "A request to the Internet carries what tells a device or a person, in the clear: IMEI, IMSI, SIM, MAC, mail"
        " addresses.",
        _LEAK,
        40,
        ("Devices that fetch their updates by MAC address", "Mailing lists"),
        is_outbound=True,
    ),
)

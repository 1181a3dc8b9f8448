import pytest

from feeds.classes import rate, threat_name
from trailhound.trail import TrailClass

REAL = {
    "emotet (malware)": "malware",
    "android joker (malware)": "malware",
    "apt sidewinder (malware)": "malware",
    "generic (malware)": "malware",
    "akira_ransomware (malware)": "malware",
    "torrentlocker (malware)": "malware",
    "svproxy (malware)": "malware",
    "lummac2 (malware)": "c2",
    "chaosc2 (malware)": "c2",
    "cobaltstrike (malware)": "c2",
    "apt unc215 (malware)": "malware",
    "sinkhole shadowserver (malware)": "sinkhole",
    "sinkhole cncert (malware)": "sinkhole",
    "sinkhole spamandabuse (malware)": "sinkhole",
    "sinkhole testsink (malware)": "sinkhole",
    "malware (test)": "malware",
    "botnet c2 (test)": "c2",
    "phishing (test)": "phishing",
    "ek rig (malicious)": "exploit",
    "ek_clearfake-1 (malicious)": "exploit",
    "adaptix c2 (malicious)": "c2",
    "phonyc2 (malicious)": "c2",
    "c2 panel (malicious)": "c2",
    "metasploit (malicious)": "c2",
    "sliver (malicious)": "c2",
    "keitaro tds (malicious)": "malware",
    "socgholish (malicious)": "malware",
    "evilginx (malicious)": "phishing",
    "365stealer phishtool (malicious)": "phishing",
    "telekopye scamtool (malicious)": "phishing",
    "interactsh (malicious)": "exploit",
    "arl (malicious)": "attacker",
    "sms flooder (malicious)": "spam",
    "spamtool (malicious)": "spam",
    "rogue dns (malicious)": "suspicious",
    "mass scanner": "scanner",
    "mass scanner cidr": "scanner",
    "crawler": "scanner",
    "known attacker": "attacker",
    "bad reputation": "attacker",
    "bad reputation (suspicious)": "attacker",
    "compromised (suspicious)": "attacker",
    "spammer": "spam",
    "tor exit node (suspicious)": "anonymizer",
    "bad reputation (tor node)": "anonymizer",
    "proxy (suspicious)": "anonymizer",
    "anonymous web proxy (suspicious)": "anonymizer",
    "i2p (suspicious)": "anonymizer",
    "onion (suspicious)": "anonymizer",
    "parking site (suspicious)": "parked",
    "suspended domain (suspicious)": "parked",
    "bad history (suspicious)": "suspicious",
    "domain (suspicious)": "suspicious",
    "pua (suspicious)": "suspicious",
    "crypto mining (suspicious)": "suspicious",
    "connectwise (suspicious)": "suspicious",
    "dynamic domain (suspicious)": "policy",
    "free web hosting (suspicious)": "policy",
    "ipinfo (suspicious)": "policy",
    "dns tunneling service (suspicious)": "policy",
    "web shells (suspicious)": "exploit",
    "dcrat c2 cert (suspicious)": "c2",
    "potential malware site": "malware",
    "phishing": "phishing",
    "COBALT CPS-CTI": "c2",
    "BOTNET ABUSE-CH": "c2",
    "BAD-REPUTATION ALIENVAULT": "attacker",
    "DNS-OVER-HTTPS DNS-OVER-HTTPS": "policy",
    "Log4j": "exploit",
    "ipsum": "attacker",
    "lockbit": "malware",
}


@pytest.mark.parametrize(("info", "class_"), REAL.items())
def test_real_infos_have_the_class_that_they_mean(info: str, class_: str) -> None:
    assert rate(info).class_ is TrailClass(class_)


def test_old_lists_and_lists_of_cheap_zones_are_rated_so_low_that_severity_drops() -> None:
    assert rate("bad history (suspicious)").confidence < 30
    assert rate("domain (suspicious)").confidence < 30


def test_a_curated_family_is_surer_than_a_bare_word() -> None:
    assert rate("emotet (malware)").confidence > rate("emotet").confidence


def test_the_category_is_cut_from_the_name_and_other_parentheses_stay() -> None:
    assert threat_name("emotet (malware)") == "emotet"
    assert threat_name("malware (test)") == "malware (test)"
    assert threat_name("(malware)") == "(malware)"

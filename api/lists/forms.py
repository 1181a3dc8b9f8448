"""The forms of lists: one for every kind of firewall and resolver. What stands in them is plain by now."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from api.lists.entry import Entry
from api.lists.rule import Rule
from api.translate import iso
from feeds.exports import hosts, rpz
from feeds.exports.export import Export, Wishes
from trailhound.trail import Trail, TrailClass, TrailKind

Write = Callable[[Rule, Sequence[Entry], int], str]
# The most that a list may hold; a set that is full refuses what comes after, and a set cannot be made larger.
_MOST = 10_000_000
_TO_A_COMMAND = 5000
_UNFIT = re.compile(r"[^ -~]|[\"\\$;#`\[\]{}]")


@dataclass(frozen=True, slots=True)
class Form:
    """How to write a list. `of_addresses` and `of_names` tell what it can say."""

    word: str
    media_type: str
    of_addresses: bool
    of_names: bool
    write: Write
    # Whether it tells more of an entry than that it stands there.
    tells: bool = False

    def says(self, rule: Rule) -> bool:
        return self.of_names if rule.is_of_names else self.of_addresses


def _txt(rule: Rule, entries: Sequence[Entry], made: int) -> str:
    del rule, made
    return "".join([f"{one.value}\n" for one in entries])


def _json(rule: Rule, entries: Sequence[Entry], made: int) -> str:
    del made
    rows = [
        {
            "value": one.value,
            "until": None if one.until is None else iso(one.until),
            "reason": one.says,
            "decided": one.candidate is None,
            "severity": None if one.candidate is None else one.candidate.severity.label,
            "count": None if one.candidate is None else one.candidate.number,
            "first": None if one.candidate is None else iso(one.candidate.first),
            "last": None if one.candidate is None else iso(one.candidate.last),
        }
        for one in entries
    ]
    return orjson.dumps({"name": rule.name, "entries": rows}).decode()


def _ipset(rule: Rule, entries: Sequence[Entry], made: int) -> str:
    del made
    name, family = f"th-{rule.name}", _family(rule)
    made_new = f"hash:net family {family} maxelem {_MOST}"
    lines = [f"create {name} {made_new} -exist", f"create {name}-new {made_new} -exist", f"flush {name}-new"]
    lines += [f"add {name}-new {one.value} -exist" for one in entries]
    # From one moment to the next the set is the new one, and never empty between.
    lines += [f"swap {name}-new {name}", f"destroy {name}-new"]
    return _lines(lines)


def _nft(rule: Rule, entries: Sequence[Entry], made: int) -> str:
    del made
    kind = "ipv6_addr" if rule.family == "6" else "ipv4_addr"
    head = (
        f"table inet trailhound {{\n\tset {rule.name} {{\n\t\ttype {kind}\n\t\tflags interval\n\t\tauto-merge\n\t}}\n"
        "}\n"
        f"flush set inet trailhound {rule.name}\n"
    )
    return head + "".join(
        f"add element inet trailhound {rule.name} {{ {', '.join(part)} }}\n" for part in _parts(entries)
    )


def _parts(entries: Sequence[Entry]) -> Iterator[Sequence[str]]:
    """Cut a list into pieces that a command takes."""
    for begin in range(0, len(entries), _TO_A_COMMAND):
        yield [one.value for one in entries[begin : begin + _TO_A_COMMAND]]


def _pf(rule: Rule, entries: Sequence[Entry], made: int) -> str:
    return f"# Trailhound: {rule.name}\n{_txt(rule, entries, made)}"


def _mikrotik(rule: Rule, entries: Sequence[Entry], made: int) -> str:
    del made
    name, family = f"trailhound-{rule.name}", "ipv6" if rule.family == "6" else "ip"
    lines = [f"/{family} firewall address-list", f'remove [find list="{name}"]']
    lines += [f'add list="{name}" address={one.value} comment="{_plain(one.says)}"' for one in entries]
    return _lines(lines)


def _edl(rule: Rule, entries: Sequence[Entry], made: int) -> str:
    """Write an external dynamic list of PAN-OS: what follows an address after a space is a comment."""
    if rule.is_of_names:
        return _txt(rule, entries, made)
    return _lines([f"{one.value} {_plain(one.says)}".rstrip() for one in entries])


def _dnsmasq(rule: Rule, entries: Sequence[Entry], made: int) -> str:
    del rule, made
    # Without an address: the name, and all below it, does not exist.
    return _lines([f"address=/{one.value}/" for one in entries])


def _exported(export: Export) -> Write:
    """Write what an export of trails can say too."""

    def write(rule: Rule, entries: Sequence[Entry], made: int) -> str:
        trails = (Trail(_kind(one.value, rule), one.value, "", TrailClass.MALWARE, ()) for one in entries)
        return "".join(text for _, text in export.write(trails, Wishes(made, zone=f"{rule.name}.rpz.trailhound")))

    return write


def _kind(value: str, rule: Rule) -> TrailKind:
    if rule.is_of_names:
        return TrailKind.DOMAIN
    return TrailKind.CIDR if "/" in value else TrailKind.IPV6 if ":" in value else TrailKind.IPV4


def _family(rule: Rule) -> str:
    return "inet6" if rule.family == "6" else "inet"


def _plain(text: str) -> str:
    """Leave nothing in a comment that could end it, or mean more than itself."""
    return " ".join(_UNFIT.sub("", text).split())[:100]


def _lines(lines: Sequence[str]) -> str:
    return "".join([f"{line}\n" for line in lines])


_TEXT = "text/plain; charset=utf-8"
TXT = Form("txt", _TEXT, of_addresses=True, of_names=True, write=_txt)
FORMS: Mapping[str, Form] = {
    form.word: form
    for form in (
        TXT,
        Form("json", "application/json", of_addresses=True, of_names=True, write=_json, tells=True),
        Form("ipset", _TEXT, of_addresses=True, of_names=False, write=_ipset),
        Form("nft", _TEXT, of_addresses=True, of_names=False, write=_nft),
        Form("pf", _TEXT, of_addresses=True, of_names=False, write=_pf),
        Form("mikrotik", _TEXT, of_addresses=True, of_names=False, write=_mikrotik, tells=True),
        Form("rpz", _TEXT, of_addresses=True, of_names=True, write=_exported(rpz.EXPORT)),
        Form("dnsmasq", _TEXT, of_addresses=False, of_names=True, write=_dnsmasq),
        Form("hosts", _TEXT, of_addresses=False, of_names=True, write=_exported(hosts.EXPORT)),
        Form("edl", _TEXT, of_addresses=True, of_names=True, write=_edl, tells=True),
    )
}

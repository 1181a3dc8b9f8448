"""What attacks by request look like: by family, how they read once decoded, and what shows of them before.

The signs of a family are regexes of raw text of which every request that its patterns match has one, unless letters or
digits in it are escaped; that is looked for apart. They keep nearly all requests from being decoded.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# A space as databases take it, how such a one looks in raw text, and a blank as shells take it.
_W = r"(?:\s|/\*[^*]*\*/)"
_S = r"(?:[\s+/*(]|%[02][0-9a-f])"
_B = r"(?:[\s+]|%[02][0-9a-f])"
# Letters and digits that are escaped without need, escapes of escapes, and wide or overlong characters.
ESCAPED = r"%25|%[46][1-9a-f]|%[57][0-9a]|%3[0-9]|%u00|%c[01]%"


def raw(text: str) -> str:
    """Give the regex of a literal text in which signs may be escaped; a space is any white space."""
    return "".join(map(_raw, text))


def _raw(sign: str) -> str:
    if sign == " ":
        return f"{_S}+"
    if sign.isalnum() or sign in "_-":
        return sign
    return f"(?:{re.escape(sign)}|%{ord(sign):02x})"


@dataclass(frozen=True, slots=True)
class Look:
    """How one family looks: any of its `patterns`, in decoded text; `unless` says what it is not, in the same."""

    patterns: Sequence[str]
    signs: Sequence[str]
    unless: str = ""


_DNS_PARAMETERS = (
    "dns1|dns2|dns3|dns_1|dns_2|pridns|secdns|dnsserver2?|dns_?server_?[12]?|dns_?ip_?[12]?|dns_?primary|dns_?secondary"
    "|primary_?dns|secondary_?dns|wan_?dns_?[0-9]?|lan_?dns_?[0-9]?|dhcp_?dns_?[0-9]?|dhcp_?pri_?dns|dhcp_?sec_?dns"
    "|dhcpdns[12]?|wan_?primary_?dns|wan_?secondary_?dns|wan_dns1_pri|wan_dns2_x|dnsrefresh|dns_?addr_?[0-9]?"
    "|static_?dns_?[0-9]?|pppoe_?dns_?[0-9]?|ppp_?dns_?[0-9]?|dns[abcd]?_?ipaddr|maindns|backupdns|firstdns|seconddns"
    "|pridnsaddr|secdnsaddr|name_?server_?[12]?|l2tp_?dns_?[0-9]?|pptp_?dns_?[0-9]?|resolver_?[12]?|dnsmasq_?server"
)
_STATIC = r"^[^?]*\.(?:png|jpe?g|gif|css|js|svg|ico|woff2?|ttf|eot|html?)(?:\?.*)?$"
_EMAIL = r"[\w.+-]+@[\w-]+\.[a-z]{2,8}\b"
_HANDLERS = "mouseover|error|focus|load|toggle|transitionend|click|animationstart|pointerenter"
_PRIVATE = "imei|imsi|iccid|mac|sid|sim|telnum|telcompany"

# The first that matches counts: what an injection is meant to run says more than the injection.
LOOKS: Mapping[str, Look] = {
    "remote-code-execution": Look(
        (
            r"\$_(?:request|get|post|server|cookie)\[",
            r"\bxp_cmdshell\b",
            r"\b(?:shell_exec|passthru|proc_open|popen)\(",
            r"\bcmd\.exe\b",
            r"/bin/(?:ba|da|z|c|k)?sh\b",
            r"\btftp\s+-",
            r"\bwget\s+(?:-\S+\s+)*(?:https?|ftp):",
            r"\bcurl\s+(?:-\S+\s+)*(?:-o\b|https?:)",
            r"\bsh\s+/tmp\b",
            r"\btouch\s+/tmp\b",
            r"\bchmod\s+(?:\d{3}|\+x)",
            r"\bbase64\s+(?:-d|--decode)\b",
            r"\bnc\s+(?:-\w+\s+)*-\w*[lecp]",
            r">\s*/dev/(?:null|tcp/)",
            r"2>&1",
            r"\bjndi:(?:ldaps?|rmi|dns|nis|iiop|corba|nds|https?):",
            r"\$\{[^}]*(?:lower:|upper:|::-)",
            r"jhtqbmrp",
            r"\bms-msdt:",
            r"(?:[;|&`=]|cmd\s*/c)\s*ipconfig\b",
            r"(?:[;|&`=]|cmd\s*/c)\s*net1?\s+(?:config|view|user|localgroup)\b",
            r"\bnltest\b\s*/",
            r"\bnetsh\s+(?:adv)?(?:firewall|wlan)\b",
            r"\$\{ifs\}|\$ifs\b",
            r"getruntime\(\)\.exec\(",
            r"\bexecsync\(",
            r"\bping\s+-[nc]\s*\d",
            r"\(\)\s*\{[^}]*\};",
            r"[;|`]\s*(?:cat\s+/|whoami\b|uname\b|id\s*(?:$|[;&|]))",
            r"\bpowershell(?:\.exe)?\s+-\w*(?:e|enc|encodedcommand|nop|w)\b",
            r"\bcall_user_func_array\b",
            r"\ballow_url_include\b",
            r"ognlcontext|#_memberaccess|@java\.lang\.",
        ),
        (
            raw("$_") + "(?:request|get|post|server|cookie)",
            "xp_cmdshell|(?:shell_exec|passthru|proc_open|popen)" + raw("("),
            raw("cmd.exe") + "|" + raw("/bin/") + "[a-z]{0,2}sh",
            rf"(?:tftp|wget|curl|touch|chmod|base64|nc|sh|nltest|netsh|ping){_B}",
            raw("/dev/") + "(?:null|tcp)|2" + raw(">&") + "1",
            "jndi|jhtqbmrp|" + raw("ms-msdt:"),
            raw("${") + "|" + raw("$ifs") + "|" + raw("};"),
            f"(?:cmd|[;|&`=]|%(?:7c|3b|26|60|3d)){_S}*(?:%2f)?c?{_S}*(?:ipconfig|net1?{_B})",
            f"(?:[;|`]|%(?:7c|3b|60)){_B}*(?:whoami|uname|cat{_B}|id(?:$|[;&| +]|%(?:7c|3b|26|20)))",
            "getruntime|execsync|powershell|call_user_func|allow_url_include|ognlcontext|_memberaccess|java" + raw("."),
        ),
    ),
    "sql-injection": Look(
        (
            r"\binformation_schema\b",
            r"\bsys(?:databases|users)\b",
            rf"\bfloor\({_W}*rand\(",
            rf"\border{_W}+by{_W}+\d+{_W}*(?:--|#|/\*|$|[&,)])",
            rf"\bunion(?:{_W}|\()+(?:(?:all|distinct)(?:{_W}|\()+)?select\b",
            r"\b(?:updatexml|extractvalue)\(",
            r"\bcase\b[^&]*\bwhen\b[^&]*\bthen\b",
            rf"\bwaitfor{_W}+delay\b",
            r"\b(?:convert|cast)\([^&]*\b(?:int|n?char|n?varchar|signed|using)\b",
            r"\bn?varchar\(",
            r"\bcount\(\*\)",
            r"\b(?:pg_)?sleep\(\s*[\d.']",
            r"\bbenchmark\(\d",
            rf"\bselect\b[^&]*\bfrom\b[^&]*\b(?:where\b|group{_W}+by|order{_W}+by|limit{_W}+\d)",
            rf"\bselect{_W}+(?:\*|@@\w+|[\w.]+(?:\s*,\s*[\w.]+)+|\w+\([^)]*\)){_W}+from{_W}+\w",
            rf"\bselect{_W}+@@\w",
            r"\b(?:and|or|select|union|where|from)/\*[^*]*\*/",
            rf"\b(?:and|or){_W}+\(*\d+{_W}*(?:=|<|>|like){_W}*\d",
            rf"['\"]{_W}*(?:and|or|\|\||&&){_W}*\(*['\"]?\w+['\"]?{_W}*(?:=|<|>|like\b)",
            r"\bodbc;driver",
            rf"\binto{_W}+(?:out|dump)file\b",
            rf"\bdrop{_W}+(?:table|database)\b",
        ),
        (
            "information_schema|sysdatabases|sysusers",
            "(?:floor|updatexml|extractvalue|convert|cast|varchar|sleep|benchmark)" + raw("("),
            f"order{_S}+by{_S}+[0-9]|union{_S}+(?:all|distinct|select)|waitfor{_S}|drop{_S}|into{_S}+(?:out|dump)file",
            f"case{_S}+when|select{_S}|case{_S}|when{_S}",
            raw("count(*"),
            f"(?:and|or|select|union|where|from)(?:/|%2f)(?:\\*|%2a)|(?:and|or){_S}+(?:[0-9])",
            rf"(?:['\"]|%2[27]){_S}*(?:and|or|\||&|%7c|%26)",
            raw("odbc;"),
        ),
    ),
    "xml-injection": Look((r"/text\(\)\s*=\s*['\"]",), (raw("text()"),)),
    "php-injection": Look((r"<\?php\b", r"\bphp://(?:input|filter)\b"), (raw("<?") + "php", raw("php:"))),
    "ldap-injection": Look((r"\(\|\(\w+=\*", r"\*\)+\(+[|&]?\(?\w+="), (raw("(|("), raw("*)"))),
    "cross-site-scripting": Look(
        (
            r"<script[\s/>]",
            r"\b(?:alert|confirm|prompt)[(`](?:\d|document\.|[^\w&]?xss)",
            rf"\bon(?:{_HANDLERS})\s*=[^&]*[(`]",
            r"\bjavascript:\s*(?:alert|confirm|prompt|eval|fetch|document\.|window\.|\W*xss)",
            r"<svg[\s/][^>]*\bon\w+\s*=",
        ),
        (
            "(?:<|%3c)(?:script|svg)",
            "(?:alert|confirm|prompt)(?:[(`]|%28|%60)",
            f"on(?:{_HANDLERS}){_S}*(?:=|%3d)",
            raw("javascript:"),
        ),
    ),
    "xml-entity": Look((r"<!entity\b", r"<!doctype[^>]*\["), (raw("<!") + "(?:entity|doctype)",)),
    "template-injection": Look(
        (
            r"\$\{\{?[^}]*[*(][^}]*\}",
            r"\{\{[^}]*(?:\*|\(|__|\bconfig\b|\bself\b)[^}]*\}\}",
            r"<%=[^%]*[*(]",
            r"#\{[^}]*[*(][^}]*\}",
        ),
        (raw("${"), raw("{{"), raw("<%="), raw("#{")),
    ),
    "config-file-access": Look(
        (
            r"/\.ht(?:access|passwd)\b",
            r"/wp-config\.php\b",
            r"/\.env(?:\.\w+)?(?:[?/]|$)",
            r"/\.git/(?:config|head)\b",
            r"/\.aws/credentials\b",
            r"/\.ssh/(?:id_\w+|authorized_keys)",
        ),
        (raw(".ht") + "(?:access|passwd)", raw("wp-config."), raw("/.") + "(?:env|git|aws|ssh)"),
    ),
    "directory-traversal": Look(
        (
            r"\.\.[/\\]+\.\.[/\\]+\.\.[/\\]",
            r"/etc/(?:group|passwd|shadow|issue|hostname|hosts|sudoers)\b",
            r"\b(?:boot|system|win)\.ini\b",
            r"[/\\]system32\b",
            r"%systemroot%",
            r"/proc/self/(?:environ|cmdline|maps)",
            r"\bweb-inf/web\.xml",
        ),
        (
            raw("..") + "(?:/|\\\\|%2f|%5c)",
            raw("/etc/"),
            "(?:boot|system|win)" + raw(".ini"),
            "system32|systemroot|web-inf",
            raw("/proc/self"),
        ),
        # Pages that are put together badly ask for their pictures so.
        unless=_STATIC,
    ),
    "web-scan-tool": Look(
        (
            r"\bacunetix|\bnetsparker|\bw00tw00t|\bmuieblackcat|\bbxss\.me\b",
            r"\bzap(?:roxy|_scan)\b|\bowasp[ _-]?zap\b",
            r"/nmaplowercheck\d|/nice%20ports|/nice ports,",
            r"\bdefaultwebpage\.cgi\b",
            r"\b(?:interact\.sh|oastify\.com|burpcollaborator\.net|oast\.(?:pro|live|fun|me|site|online))\b",
            r"/nikto|\bnessus\b.*\.(?:nasl|html)|/nessus-check",
        ),
        (
            "acunetix|netsparker|w00tw00t|muieblackcat|nmaplowercheck|defaultwebpage|nikto|nessus|oastify|burpcollab",
            f"zaproxy|zap_scan|owasp|nice{_S}+ports|" + raw("bxss.me") + "|" + raw("interact.sh") + "|" + raw("oast."),
        ),
    ),
    "dns-changer": Look(
        (rf"[?&;/](?:{_DNS_PARAMETERS})=\d+\.\d+\.\d+\.\d",),
        (f"(?:{_DNS_PARAMETERS})(?:=|%3d)[0-9]",),
    ),
    "data-leakage": Look(
        (
            r"[?&]im(?:ei|si)=\d{15}(?:\D|$)",
            r"[?&]iccid=\d{18,22}(?:\D|$)",
            r"[?&](?:mac|sid)=(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?:\W|$)",
            r"[?&]sim=\d{20}(?:\D|$)",
            r"[?&]tel(?:num|company)=[^&]",
            rf"{_EMAIL}.*{_EMAIL}.*{_EMAIL}.*{_EMAIL}",
        ),
        (
            f"(?:[?&]|%3f|%26)(?:{_PRIVATE})(?:=|%3d)",
            r"(?:@|%40)[^@%\n]*(?:%[^4][^@%\n]*)*(?:@|%40)[^@\n]*(?:@|%40)[^@\n]*(?:@|%40)",
        ),
    ),
}

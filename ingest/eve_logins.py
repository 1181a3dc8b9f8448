"""What EVE says of log-ins over Kerberos, SMB, FTP and RDP, in the words of Zeek's logs of them."""

import msgspec

from trailhound.record import Value

Text = str | None
Fields = dict[str, Value | None]


class Krb5(msgspec.Struct, gc=False):
    msg_type: Text = None
    failed_request: Text = None
    error_code: Text = None
    cname: Text = None
    realm: Text = None
    sname: Text = None


class NtlmSsp(msgspec.Struct, gc=False):
    domain: Text = None
    user: Text = None
    host: Text = None


class Smb(msgspec.Struct, gc=False):
    command: Text = None
    status: Text = None
    ntlmssp: NtlmSsp | None = None


class Ftp(msgspec.Struct, gc=False):
    command: Text = None
    completion_code: list[str] | None = None


class Rdp(msgspec.Struct, gc=False):
    event_type: Text = None
    cookie: Text = None


# Suricata's names of messages, Zeek's names of what they belong to.
_REQUESTS = {"KRB_AS_REQ": "AS", "KRB_AS_REP": "AS", "KRB_TGS_REQ": "TGS", "KRB_TGS_REP": "TGS"}
_SESSION_SETUP = frozenset({"SMB1_COMMAND_SESSION_SETUP_ANDX", "SMB2_COMMAND_SESSION_SETUP"})
# What a server says in the midst of a log-in, which ends with another word.
_UNDECIDED = frozenset({None, "", "STATUS_MORE_PROCESSING_REQUIRED", "STATUS_PENDING"})
_LONGEST_CODE = 3  # Digits.


def kerberos(said: Krb5) -> Fields:
    name = said.cname if said.cname and said.cname != "<empty>" else None
    return {
        "request_type": _REQUESTS.get(said.failed_request or said.msg_type or ""),
        "client": f"{name}/{said.realm}" if name and said.realm else name,
        "service": said.sname,
        "success": False if said.error_code else True if (said.msg_type or "").endswith("_REP") else None,
        "error_msg": said.error_code,
    }


def ntlm(said: Smb) -> Fields:
    # Other commands repeat who the session belongs to.
    is_login = said.command in _SESSION_SETUP and said.status not in _UNDECIDED
    ntlmssp = said.ntlmssp or NtlmSsp()
    return {
        "username": ntlmssp.user or None,
        "domainname": ntlmssp.domain or None,
        "hostname": ntlmssp.host or None,
        "success": said.status == "STATUS_SUCCESS" if is_login and said.ntlmssp is not None else None,
    }


def ftp(said: Ftp) -> Fields:
    code = said.completion_code[-1] if said.completion_code else ""
    return {
        "command": said.command,
        "reply_code": int(code) if code.isascii() and code.isdecimal() and len(code) <= _LONGEST_CODE else None,
    }


def rdp(said: Rdp) -> Fields:
    return {"cookie": said.cookie, "result": said.event_type}

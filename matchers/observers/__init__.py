"""One observer per log type. To add one: write its module, add it here, put a sample beside the tests."""

from collections.abc import Mapping

from matchers.observer import Observer
from matchers.observers.alert import ALERT
from matchers.observers.conn import CONN
from matchers.observers.custom import custom
from matchers.observers.dns import DNS
from matchers.observers.files import FILES
from matchers.observers.ftp import FTP
from matchers.observers.http import HTTP
from matchers.observers.kerberos import KERBEROS
from matchers.observers.ntlm import NTLM
from matchers.observers.quic import QUIC
from matchers.observers.rdp import RDP
from matchers.observers.ssh import SSH
from matchers.observers.ssl import SSL
from matchers.observers.x509 import X509

OBSERVERS: Mapping[str, Observer] = {
    observer.log: observer
    for observer in (CONN, DNS, HTTP, SSL, X509, FILES, QUIC, SSH, RDP, FTP, NTLM, KERBEROS, ALERT)
}

__all__ = ["OBSERVERS", "custom"]

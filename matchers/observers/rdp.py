"""rdp.log, and EVE `rdp`: remote desktops. With NLA all that matters is encrypted: only the connection is seen."""

from matchers.observer import ENDS, Observer, ends

RDP = Observer(
    log="rdp",
    suricata="rdp",
    protocol="rdp",
    probes=ENDS,
    observe=ends,
    # Clients send the first nine characters of the user's name as a cookie, if they send one.
    ecs={
        "user.name": "cookie",
        "zeek.rdp.result": "result",
        "zeek.rdp.security_protocol": "security_protocol",
        "zeek.rdp.client_name": "client_name",
    },
)

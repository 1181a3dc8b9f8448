"""What is new on the site: domains that nobody asked for before, programs that nobody ran before."""

from pydantic import Field

from matchers.behaviour.behaviour import Behaviour
from matchers.findings import Technique, Thresholds


class FirstSeenDomain(Thresholds):
    """From when on a domain is new."""

    learn_days: float = Field(
        default=7, ge=1, le=60, description="Days of logs before anything is called new: a week has all of its habits."
    )
    hosts: int = Field(default=2, ge=1, le=100, description="Asked for by so many hosts at most.")
    most: int = Field(default=50, ge=1, le=10_000, description="So many a window at most, the least asked for first.")


class RareUserAgent(Thresholds):
    """From when on a user agent is rare."""

    learn_days: float = Field(
        default=7, ge=1, le=60, description="Days of logs before anything is called new: a week has all of its habits."
    )
    hosts: int = Field(default=1, ge=1, le=100, description="Used by so many hosts at most.")
    requests: int = Field(
        default=5, ge=1, le=10_000, description="In so many requests at least: one may be an accident."
    )
    most: int = Field(default=20, ge=1, le=1000, description="So many a window at most.")


FIRST_SEEN_DOMAIN = Behaviour(
    name="first-seen-domain",
    title="domain never seen here before",
    about="A domain that nobody on the site asked for before is asked for by one or two hosts. Weak alone: it is there"
    " for whoever hunts, and for the risk of a host.",
    reads={"dns": ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "query", "rcode_name")},
    analysis="matchers.behaviour.analyses.novelty:domains",
    remembers=(("dns", "query"),),
    technique=Technique("T1583.001", "Acquire Infrastructure: Domains", "Resource Development"),
    thresholds=FirstSeenDomain,
    false_positives=("Every curious person",),
    silence="Leave it off, as it is by default; whitelist domains.",
    blind="Sites whose resolvers ask for them: then all questions come from one host.",
    enabled=False,
)
RARE_USER_AGENT = Behaviour(
    name="rare-user-agent",
    title="user agent of one host, never seen here before",
    about="One host sends requests with a user agent that no host of the site had before, whatever its version.",
    reads={"http": ("id.orig_h", "id.resp_h", "id.resp_p", "host", "user_agent")},
    analysis="matchers.behaviour.analyses.novelty:agents",
    remembers=(("http", "user_agent"),),
    technique=Technique("T1071.001", "Application Layer Protocol: Web Protocols", "Command and Control"),
    thresholds=RareUserAgent,
    false_positives=("New software", "New devices"),
    silence="Mute `rare-user-agent` for the value or for the host.",
    blind="What is said over TLS.",
)

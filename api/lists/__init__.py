"""Block lists: who stands on them, in which forms, and how bouncers of CrowdSec ask for them."""

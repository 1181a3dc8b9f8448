"""Records to matches: the trail set, one observer per log type, the whitelist, the rules."""

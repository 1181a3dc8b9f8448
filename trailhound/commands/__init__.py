"""The commands of `trailhound`, one module a noun; `trailhound.cli` puts them together."""

"""Events at rest."""

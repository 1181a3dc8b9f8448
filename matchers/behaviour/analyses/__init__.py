"""The analyses of behaviours; they import pandas, and so are imported only by the process that runs them."""

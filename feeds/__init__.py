"""Files of indicators to trails: which format, which class, which values are refused."""

"""Log files to records: watch, tail, read, and the pipeline that carries what they meet to the store."""

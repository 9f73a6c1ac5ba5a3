"""N-gram models: counts, smoothing, tables, lookups."""

"""Files that appear whole or not at all, locks, the cache, archives and downloads: they know no text and no model."""

"""Files that appear whole or not at all, locks, the cache, archives and downloads.

They know no text and no model.
"""

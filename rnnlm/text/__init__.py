"""From a file of text to windows of ids."""

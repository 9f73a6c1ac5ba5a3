"""Plain data in, pictures out."""

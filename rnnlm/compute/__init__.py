"""Arithmetic on arrays, checks of arguments, and the threads that share the work."""

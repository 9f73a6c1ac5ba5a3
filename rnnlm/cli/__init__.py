"""The commands: arguments, progress and messages around parts that know no screen."""

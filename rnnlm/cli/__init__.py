"""The commands: arguments, progress and messages around the parts that know no screen."""

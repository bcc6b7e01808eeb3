"""The schedule: when ticks come, also when clocks jump and machines sleep."""

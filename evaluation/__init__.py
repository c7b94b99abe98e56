"""How good a version is: labels, matching, metrics and the gate."""

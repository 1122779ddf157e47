"""Rules between the register's files; each module has a list `RULES` of functions from `Written` to faults."""

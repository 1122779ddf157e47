"""The statistical office's settlements become entries of the register."""

"""Quoting for SQL that is sent as a script."""


def literal(value: str) -> str:
    """A string constant. Backslashes need no escape: standard_conforming_strings is on."""
    if "\0" in value:
        raise ValueError("a string for SQL cannot hold a zero byte")
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A quoted name of at most 63 bytes."""
    if not name or "\0" in name or len(name.encode()) > 63:
        raise ValueError(f"not a name for SQL: {name!r}; wanted 1 to 63 bytes")
    return '"' + name.replace('"', '""') + '"'

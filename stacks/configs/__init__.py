"""Texts and paths of what runs in containers. Plain Python: no Pulumi, no files, no daemon."""

"""What the programs inside our images share: paths, whole files, log lines, TLS, metrics. Standard library only.

Copied into each image whose programs import it, by the `tree` entry of that image's downloads.yaml.
"""

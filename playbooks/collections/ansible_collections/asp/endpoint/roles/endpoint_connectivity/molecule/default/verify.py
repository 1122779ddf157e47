"""Every name of the centre leads to the gateway, by one block, and every other line is as it was."""

from testinfra.host import Host


def verify(host: Host) -> None:
    text = host.file("/etc/hosts").content_string
    assert text.count("# BEGIN asp scenario\n") == text.count("# END asp scenario\n") == 1
    block = text.split("# BEGIN asp scenario\n")[1].split("# END")[0]
    addresses = {line.split("\t")[0] for line in block.splitlines()}
    hosts = [line.split("\t")[1] for line in block.splitlines()]
    assert len(addresses) == 1 and hosts == ["a.asp.test", "ca.asp.test"]
    assert host.addr("a.asp.test").ipv4_addresses == sorted(addresses)
    assert "localhost" in text.split("# BEGIN")[0]

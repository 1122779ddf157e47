"""Only our block of a workstation's hosts file changes, and a line that contradicts it is never hidden."""

import pytest

from tests.support.modules import endpoint_module

hosts = endpoint_module("hosts")
OTHER = "127.0.0.1\tlocalhost\n10.0.0.5 printer printer.local  # third floor\n"
ROUTES = """Iface	Destination	Gateway	Flags	RefCnt	Use	Metric	Mask	MTU	Window	IRTT
eth1	00000000	010012AC	0003	0	0	0	00000000	0	0	0
eth0	0006490A	00000000	0001	0	0	0	00FFFFFF	0	0	0
"""


def edit(text, address="10.1.1.1", names=("a.test", "b.test")):
    return hosts.edit(text, "asp dev", address, list(names))


def test_the_block_is_added_and_every_other_line_stays():
    after = edit(OTHER)
    assert after == OTHER + "# BEGIN asp dev\n10.1.1.1\ta.test\n10.1.1.1\tb.test\n# END asp dev\n"


def test_the_second_time_nothing_changes():
    assert edit(edit(OTHER)) == edit(OTHER)


def test_the_block_follows_the_address_and_the_hosts():
    assert edit(edit(OTHER), "10.2.2.2", ["a.test"]) == OTHER + "# BEGIN asp dev\n10.2.2.2\ta.test\n# END asp dev\n"


def test_without_hosts_the_block_goes():
    assert edit(edit(OTHER), names=()) == OTHER


def test_two_environments_have_a_block_each():
    both = hosts.edit(edit(OTHER), "asp test", "10.1.1.1", ["c.test"])
    assert edit(both).count("# BEGIN") == 2 and "c.test" in edit(both)


def test_somebody_elses_line_for_our_host_is_refused_with_both_addresses():
    with pytest.raises(hosts.HostsFault, match=r"a\.test is 10\.9\.9\.9 by .* somebody else; wanted 10\.1\.1\.1"):
        edit(OTHER + "10.9.9.9 x.test a.test\n")


def test_a_lost_end_marker_is_refused_instead_of_eating_the_rest():
    with pytest.raises(hosts.HostsFault, match="is not followed by '# END asp dev'"):
        edit("# BEGIN asp dev\n10.0.0.1 important\n")


def test_the_gateway_is_that_of_the_default_route():
    assert hosts.gateway(ROUTES) == "172.18.0.1"


def test_without_a_default_route_the_remedy_is_told():
    with pytest.raises(hosts.HostsFault, match="no default route.*endpoint_connectivity_address"):
        hosts.gateway(ROUTES.splitlines()[0] + "\n")


def test_a_route_without_a_gateway_leads_nowhere():
    direct = "tun0	00000000	00000000	0001	0	0	0	00000000	0	0	0\n"
    head, rest = ROUTES.split("\n", 1)
    assert hosts.gateway(f"{head}\n{direct}{rest}") == "172.18.0.1"


def test_somebody_elses_line_that_says_the_same_or_is_a_comment_stays():
    other = OTHER + "10.1.1.1 a.test\n# 10.9.9.9 b.test\n10.9.9.9 c.test # a.test\n"
    assert edit(other).startswith(other)


def test_a_line_that_only_begins_like_the_marker_is_somebody_elses():
    other = OTHER + "# BEGIN asp dev of last year\n10.0.0.9 old\n"
    assert edit(other).startswith(other)

"""Names, hosts and networks hold for the whole list and for any number of cells (property tests)."""

import ipaddress
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.gazetteer import settlements
from inventory.names import FIRST_CELL_NETWORK, SHARED_NETWORKS, Names, slugify
from inventory.rules.environment import CELL_LIMIT

LABEL = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
SUBNETS = st.integers(0, 255).map(lambda n: f"10.{n}.0.0/16")
HUNGARIAN = st.text(alphabet="aábcdeéfghiíjklmnoóöőpqrstuúüűvwxyz -.", max_size=40)
# A busy machine is no fault, and nothing is left in the working tree.
relaxed = settings(deadline=None, database=None)
TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)


def test_every_settlement_has_a_host_name():
    slugs = [settlement.slug for settlement in settlements().values()]
    assert len(slugs) == 3178 and all(LABEL.match(slug) and len(slug) <= 63 for slug in slugs)


def test_only_the_known_names_collide():
    folded: dict[str, list[str]] = {}
    for settlement in settlements().values():
        folded.setdefault(settlement.slug, []).append(settlement.name)
    assert sorted(sorted(names) for names in folded.values() if len(names) > 1) == [
        ["Komló", "Kömlő"],
        ["Komoró", "Kömörő"],
    ]


@relaxed
@given(TEXT)
def test_a_slug_is_a_host_label_and_its_own_slug(text):
    slug = slugify(text)
    assert slug == "" or LABEL.match(slug)
    assert slugify(slug) == slug


@relaxed
@given(HUNGARIAN)
def test_a_slug_does_not_depend_on_case(text):
    assert slugify(text.upper()) == slugify(text)


@relaxed
@given(SUBNETS, st.integers(0, CELL_LIMIT - 1), st.integers(1, 5))
def test_a_cells_networks_lie_in_the_environment(subnet, index, nodes):
    cell = Names("dev", subnet).cell("baz1", index, nodes, ("keret",))
    environment = ipaddress.ip_network(subnet)
    for network in (cell.apps_network, cell.data_network):
        block = ipaddress.ip_network(network.subnet)
        assert block.subnet_of(environment) and block.prefixlen == 24
        assert ipaddress.ip_address(network.gateway) in block
    assert len(set(cell.postgres)) == nodes


@relaxed
@given(SUBNETS, st.integers(1, CELL_LIMIT))
def test_no_two_networks_of_an_environment_overlap(subnet, count):
    names = Names("dev", subnet)
    networks = [names.network(label) for label in SHARED_NETWORKS]
    for index in range(count):
        cell = names.cell(f"c{index}", index, 1, ())
        networks += [cell.apps_network, cell.data_network]
    assert len({network.subnet for network in networks}) == len(networks)
    assert len({network.name for network in networks}) == len(networks)


def test_shared_networks_end_before_the_cells():
    assert max(SHARED_NETWORKS.values()) < FIRST_CELL_NETWORK
    assert len(set(SHARED_NETWORKS.values())) == len(SHARED_NETWORKS)


@relaxed
@given(st.sampled_from(["dev", "test"]), st.sampled_from(["edge", "identity", "pki"]))
def test_names_carry_the_environment(env, service):
    assert Names(env, "10.61.0.0/16").of(service).startswith(f"asp-{env}-")

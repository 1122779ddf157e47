"""What a container that has been taken over can reach: the other walls must not be needed at all."""

from __future__ import annotations

import ipaddress

import pytest

from inventory.names import Port
from tests.attack.foothold import NETWORK
from tests.attack.registry import Tries, Untried, attack, control
from tests.attack.target import Target


@pytest.fixture(scope="module", autouse=True)
def alive(target: Target) -> None:
    answers = reach(target, target.systems[0], [(target.cell.proxy, int(Port.POOLER))])
    control(answers == ["open"], f"its own pooler: {answers}")


def reach(target: Target, system: str, places: list[tuple[str, int]]) -> list[str]:
    """`open`, or why not, of each place from a system's container."""
    return target.foothold(system).run(f"{NETWORK}\nprint(json.dumps([reaches(*place) for place in {places!r}]))")


def addresses(target: Target, service: str) -> list[str]:
    """Every address of a service's container: a name may not resolve where the address still answers."""
    networks = target.runtime.container(service).attrs["NetworkSettings"]["Networks"].values()
    return [network["IPAddress"] for network in networks if network.get("IPAddress")]


# PostgreSQL's SSLRequest, for printf; TLS answers it with an alert.
SSL_REQUEST = r"\0\0\0\010\004\322\026\057"
SERVICE_ANSWERS = ("S", "N", "E", "\x15")
DESTINATIONS = {
    "database": lambda t: [(n, Port.POSTGRES) for n in t.cell.postgres],
    "patroni": lambda t: [(n, Port.PATRONI) for n in t.cell.postgres],
    "backup": lambda t: [(t.cell.backup, Port.BACKUP), (t.cell.backup, Port.BACKUP_METRICS)],
    "identity-database": lambda t: [(t.register.names.identity_db, Port.POSTGRES)],
    "step-ca": lambda t: [(t.register.names.pki, Port.PKI)],
    "etcd": lambda t: [(n, Port.ETCD) for n in (t.cell.etcd or t.cell.postgres)],
    "fencer": lambda t: [(n, Port.FENCER) for n in (t.cell.fencer or t.cell.postgres)],
    "edge-status": lambda t: [(t.register.names.edge, Port.EDGE_STATUS)],
    "identity-management": lambda t: [(t.register.names.identity, Port.IDENTITY_MANAGEMENT)],
    "proxy-leader": lambda t: [(t.cell.proxy, Port.LEADER)],
    "workstations": lambda t: [(t.register.names.workstation(s.name), Port.SSH) for _, s in t.register.workstations()],
}


@attack("N01", "networks", "an app server reaches, by name or address", DESTINATIONS, short=True)
def test_destinations(target: Target, tries: Tries, way) -> None:
    places = []
    for service, port in way(target):
        places += [(place, int(port)) for place in (service, *addresses(target, service))]
    if not places:
        raise Untried("the environment has no such service")
    for system in (target.public_systems[0], target.staff_systems[0]):
        for place, answer in zip(places, reach(target, system, places), strict=True):
            tries.holds(answer != "open", f"{system} → {place[0]}:{place[1]}: {answer}")


@attack("N02", "networks", "an app server reaches another cell's pooler or app servers")
def test_other_cells(target: Target, tries: Tries) -> None:
    cells = [target.register.cell(cell.id) for cell in target.register.environment.cells if cell.id != target.own.cell]
    places = [(cell.proxy, int(Port.POOLER)) for cell in cells]
    if not places:  # of a cell that the environment lacks, the name is tried: it must lead nowhere
        names = target.register.names
        places = [(names.daemon_name("masik1", "proxy"), int(Port.POOLER))]
    for system in target.systems:
        for place, answer in zip(places, reach(target, system, places), strict=True):
            tries.holds(answer != "open", f"{system} → {place}: {answer}")


@attack("N03", "networks", "an app server has a way out to other networks", short=True)
def test_way_out(target: Target, tries: Tries) -> None:
    program = (
        f"{NETWORK}\nroutes = [line.split() for line in open('/proc/net/route').read().splitlines()[1:]]\n"
        "print(json.dumps([row[:4] for row in routes if row[1] == '00000000']))"
    )
    for system in target.systems:
        routes = target.foothold(system).run(program)
        tries.holds(not routes, f"{system}: default route {routes}")


@attack("N04", "networks", "an app server reaches the machine: its SSH, its Docker, the published ports")
def test_machine(target: Target, tries: Tries) -> None:
    environment = target.register.environment
    own = ipaddress.ip_network(environment.subnet)
    gateways = set()
    for service in (target.service(system) for system in target.systems[:2]):
        for network in target.runtime.container(service).attrs["NetworkSettings"]["Networks"].values():
            if network.get("Gateway"):
                gateways.add(network["Gateway"])
    program = (
        f"{NETWORK}\nimport struct\n"
        "routes = [line.split() for line in open('/proc/net/route').read().splitlines()[1:]]\n"
        "print(json.dumps([socket.inet_ntoa(struct.pack('<L', int(row[2], 16)))"
        " for row in routes if row[2] != '00000000']))"
    )
    system = target.systems[0]
    gateways |= set(target.foothold(system).run(program))
    gateways |= {str(next(network.hosts())) for network in own.subnets(new_prefix=24)} & gateways
    ports = [22, 2375, 2376, 2377, environment.ports.https, environment.ports.http]
    ports += [target.register.ssh_port(station) for _, station in target.register.workstations()]
    places = [(gateway, port) for gateway in sorted(gateways) for port in ports]
    if not places:
        tries.holds(True, "no gateway at all")
        return
    for place, answer in zip(places, reach(target, system, places), strict=True):
        tries.holds(answer != "open", f"{system} → {place}: {answer}")


@attack("N05", "networks", "the Docker socket inside a container")
def test_docker_socket(target: Target, tries: Tries) -> None:
    for system in target.systems:
        places = ("/var/run/docker.sock", "/run/docker.sock")
        program = f"import json, os\nprint(json.dumps([p for p in {places!r} if os.path.exists(p)]))"
        output = target.foothold(system).run(program)
        tries.holds(not output, f"{system}: {output}")


def url(target: Target, system: str, path: str) -> str:
    return f"https://{target.service(system)}:{Port.APP:d}{path}"


@attack("N06", "networks", "an app server reads another's counters")
def test_counters_of_others(target: Target, tries: Tries) -> None:
    me = target.public_systems[0]
    others = [system for system in target.systems if system != me]
    program = (
        f"{NETWORK}\nprint(json.dumps([https(u) for u in {[url(target, s, '/healthz/metrics') for s in others]!r}]))"
    )
    for system, (status, text) in zip(others, target.foothold(me).run(program), strict=True):
        tries.holds(status in (0, 401, 403, 404, 421), f"{me} → {system}: {status} {text[:80]}")


@attack("N07", "networks", "an app server plays the edge towards another: names a municipality and a clerk", short=True)
def test_playing_the_edge(target: Target, tries: Tries) -> None:
    me = target.public_systems[0]
    pem = target.certificate(target.own).read_text().split("-----END CERTIFICATE-----")[0].splitlines()[1:]
    for system in target.staff_systems:
        key = target.sessions(target.own, system, {"": ("x",)})[""]
        headers = {
            "Host": target.own.host,
            "Asp-Tenant": target.own.ksh,
            "Client-Cert": f":{''.join(pem)}:",
            "Cookie": f"asp_{system}={key}",
        }
        calls = [
            f"https({url(target, system, f'/{system}/')!r}, headers={headers!r}, certificate={c})"
            for c in (True, False)
        ]
        for status, text in target.foothold(me).run(f"{NETWORK}\nprint(json.dumps([{', '.join(calls)}]))"):
            tries.holds(status in (0, 400, 403, 421), f"{me} → {system}: {status} {text[:120]}")


@attack("N08", "networks", "the databases, the backup, step-ca and the identity provider have a way out")
def test_way_out_of_the_others(target: Target, tries: Tries) -> None:
    names = target.register.names
    for service in (
        *target.cell.postgres,
        target.cell.backup,
        names.pki,
        names.identity_db,
        target.cell.proxy,
        names.identity,
    ):
        result = target.runtime.run(service, ["cat", "/proc/net/route"], timeout=20)
        if result.code:
            raise Untried(f"{service}: {result.err}")
        routes = [line.split()[:3] for line in result.out.splitlines()[1:] if line.split()[1] == "00000000"]
        tries.holds(not routes, f"{service}: {routes}")


@attack("N09", "networks", "a workstation reaches the hosting's inner services")
def test_from_a_workstation(target: Target, tries: Tries) -> None:
    stations = target.register.workstations()
    if not stations:
        raise Untried("the environment has no workstation")
    name = target.register.names.workstation(stations[0][1].name)
    inner = {
        target.cell.proxy: Port.POOLER,
        target.service("keret"): Port.APP,
        target.register.names.identity: Port.IDENTITY,
        target.cell.postgres[0]: Port.POSTGRES,
        target.register.names.pki: Port.PKI,
    }
    for service, port in inner.items():
        for place in (service, *addresses(target, service)):
            # A site's proxy may take any connection outwards; only the service itself answers PostgreSQL's question, or
            # refuses it in TLS's own words.
            script = f"exec 3<>/dev/tcp/{place}/{int(port)} && printf '{SSL_REQUEST}' >&3 && head -c 1 <&3"
            result = target.runtime.run(name, ["timeout", "2", "bash", "-c", script], timeout=20)
            tries.holds(result.out[:1] not in SERVICE_ANSWERS, f"{name} → {place}:{int(port)}")

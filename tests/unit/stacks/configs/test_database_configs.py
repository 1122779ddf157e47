"""What the cell's services are told: TLS and SCRAM on every way in, and both ends of a connection agree on names."""

import configparser
import json
import re

import pytest
import yaml

from inventory.models import Caps
from stacks.configs import dbproxy, patroni, pgbackrest, postgres
from stacks.configs.sql import identifier, literal

NODES = ["asp-x-baz1-postgres-1", "asp-x-baz1-postgres-2"]
BACKUP = "asp-x-baz1-backup"
SERVER = postgres.Server(memory=1024, max_connections=500, stanza="baz1")


def settings(text):
    return dict(line.split(" = ", 1) for line in text.splitlines())


def ini(text):
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), interpolation=None)
    parser.read_string(text)
    return parser


def repeats(text, key):
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


def test_the_server_speaks_modern_tls_and_archives():
    config = settings(postgres.postgresql_conf(SERVER))
    assert config["ssl"] == "'on'"
    assert config["ssl_min_protocol_version"] == "'TLSv1.3'"
    assert config["password_encryption"] == "'scram-sha-256'"
    assert config["archive_command"] == "'asp-pgbackrest-push baz1 %p'"
    assert config["shared_buffers"] == "'256MB'"
    assert config["max_connections"] == "500"


def test_a_server_without_stanza_does_not_archive():
    config = settings(postgres.postgresql_conf(postgres.Server(memory=384, max_connections=100)))
    assert not {name for name in config if name.startswith("archive")}


def test_nobody_reaches_a_cell_without_tls_scram_and_certificate():
    lines = postgres.pg_hba_conf(postgres.CELL_RULES, postgres.CELL_LOCAL).splitlines()
    network = [line for line in lines if not line.startswith("local ")]
    assert network == [
        "hostssl pbauth asp_pooler samenet scram-sha-256 clientcert=verify-ca",
        "hostssl samerole all samenet scram-sha-256 clientcert=verify-ca",
    ]
    assert all(line.endswith("peer map=asp") for line in lines if line.startswith("local "))


def test_every_local_role_is_mapped():
    hba = postgres.pg_hba_conf(postgres.CELL_RULES, postgres.CELL_LOCAL)
    mapped = {line.split()[2] for line in postgres.pg_ident_conf(postgres.CELL_LOCAL).splitlines()}
    assert {line.split()[2] for line in hba.splitlines() if line.startswith("local ")} == mapped


def test_a_single_node_lets_one_login_into_one_database():
    rule = postgres.Rule("keycloak", "keycloak", mutual=False)
    assert postgres.pg_hba_conf([rule]).splitlines() == [
        "local all postgres peer map=asp",
        "hostssl keycloak keycloak samenet scram-sha-256",
    ]


def test_bootstrap_holds_verifiers_never_passwords():
    cell = postgres.bootstrap_cell("pooler-password-0123456789")
    login = postgres.Login("keycloak", "keycloak", "identity-password-0123456789")
    alone = postgres.bootstrap_login(login)
    assert "password-0123456789" not in cell + alone + repr(login)
    assert cell.count("SCRAM-SHA-256$4096:") == 2  # the pooler's, and the head of the one for unknown roles
    assert alone.count("SCRAM-SHA-256$4096:") == 1


def test_the_pooler_verifies_both_sides_and_holds_no_password():
    parser = ini(dbproxy.pgbouncer_ini(Caps(), {}))
    pooler = parser["pgbouncer"]
    assert pooler["client_tls_sslmode"] == "verify-ca"
    assert pooler["server_tls_sslmode"] == "verify-full"
    assert pooler["auth_type"] == "scram-sha-256"
    assert "pgb.get_auth(" in pooler["auth_query"]
    assert pooler["auth_dbname"] == postgres.AUTH_DATABASE
    assert parser["databases"]["*"] == "host=127.0.0.1 port=5000 auth_dbname=pbauth"
    assert dbproxy.userlist("geheim") == '"asp_pooler" "geheim"\n'


def test_the_pooler_caps_every_tenant_and_names_only_those_that_differ():
    larger = Caps(connections=8, clients=300, statement_seconds=60)
    parser = ini(dbproxy.pgbouncer_ini(Caps(), {"t16054": larger, "t14784": Caps(lock_seconds=5)}))
    pooler, databases = parser["pgbouncer"], parser["databases"]
    assert (pooler["max_db_connections"], pooler["max_db_client_connections"]) == ("4", "200")
    assert pooler["default_pool_size"] == "2", "of one login: no system keeps all connections of its municipality"
    assert "pool_size=4 max_db_connections=8 max_db_client_connections=300" in databases["t16054"]
    assert databases["t16054"].startswith(databases["*"]) and set(databases) == {"t16054", "*"}
    # A role may SET its own time-outs away; the pooler's follow the longest that anybody has.
    assert (pooler["query_timeout"], pooler["idle_transaction_timeout"]) == ("65", "35")


def test_the_proxy_listens_for_the_leader_on_loopback_only():
    binds = re.findall(r"^\s+bind (\S+)", dbproxy.haproxy_cfg(NODES), re.MULTILINE)
    assert binds == ["127.0.0.1:5000", "127.0.0.1:8405"]


def test_the_proxy_of_one_node_only_connects():
    text = dbproxy.haproxy_cfg(NODES[:1])
    assert re.findall(r"^  server (.*)$", text, re.MULTILINE) == [f"{NODES[0]} {NODES[0]}:5432"]
    assert "tcp-check connect linger" in text


def test_the_proxy_of_several_nodes_asks_who_leads():
    servers = re.findall(r"^  server (.*)$", dbproxy.haproxy_cfg(NODES), re.MULTILINE)
    assert [server.split()[:2] for server in servers] == [[node, f"{node}:5432"] for node in NODES]
    for node, server in zip(NODES, servers, strict=True):
        assert f"verifyhost {node} check-ssl port 8008 verify required" in server
    text = dbproxy.haproxy_cfg(NODES)
    assert "send meth GET uri /primary" in text
    assert text.index('expect rstring \\"role\\":\\ \\"primary\\"') < text.index("expect status 200")


def test_repository_and_nodes_name_each_other():
    repository = pgbackrest.repository_conf("baz1", NODES, 4)
    assert repeats(repository, "tls-server-auth") == [f"{node}=baz1" for node in NODES]
    for number, node in enumerate(NODES, start=1):
        assert repeats(repository, f"pg{number}-host") == [node]
        assert repeats(repository, f"pg{number}-host-type") == ["tls"]
        text = pgbackrest.node_conf("baz1", BACKUP)
        assert repeats(text, "repo1-host") == [BACKUP]
        assert repeats(text, "repo1-host-type") == repeats(text, "repo2-host-type") == ["tls"]
        assert repeats(text, "repo2-host") == [BACKUP]
        assert repeats(text, "tls-server-auth") == [f"{BACKUP}=baz1"]
    assert repeats(repository, "repo1-retention-full") == repeats(repository, "repo2-retention-full") == ["4"]
    assert "cipher-pass" not in repository, "the keys are a secret of their own"


def test_the_daily_repository_is_encrypted_too_and_each_has_its_own_key():
    repository = pgbackrest.repository_conf("baz1", NODES, 4)
    assert repeats(repository, "repo1-cipher-type") == repeats(repository, "repo2-cipher-type") == ["aes-256-cbc"]
    keys = pgbackrest.keys_conf({pgbackrest.DAILY: "one", pgbackrest.VAULT: "two"})
    assert (repeats(keys, "repo1-cipher-pass"), repeats(keys, "repo2-cipher-pass")) == (["one"], ["two"])
    assert len(set(pgbackrest.KEYS.values())) == len(pgbackrest.PLACES) == 2


def test_an_encrypted_repository_never_begins_where_one_in_clear_lies():
    repository = pgbackrest.repository_conf("baz1", NODES, 4)
    assert repeats(repository, "repo1-path") == ["/data/encrypted/repo"]
    assert repeats(repository, "repo2-path") == ["/vault/repo"]


@pytest.mark.parametrize(("value", "quoted"), [("a", "'a'"), ("it's", "'it''s'"), ("\\n", "'\\n'"), ("", "''")])
def test_literals_are_quoted(value, quoted):
    assert literal(value) == quoted


def test_names_are_quoted_or_refused():
    assert identifier('a"b') == '"a""b"'
    for name in ("", "a\0b", "á" * 32):
        with pytest.raises(ValueError, match="not a name for SQL"):
            identifier(name)


NODE = patroni.Node(NODES[0], "baz1", ["asp-x-baz1-etcd-1"], "etcd-password-0123456789")


def test_a_node_of_three_is_told_everything_over_verified_tls():
    config = yaml.safe_load(patroni.patroni_yml(NODE, SERVER))
    assert config["restapi"]["verify_client"] == "required"
    assert config["etcd3"] == {
        "hosts": ["asp-x-baz1-etcd-1:2379"],
        "protocol": "https",
        "cacert": "/etc/asp/ca.crt",
        "username": "patroni",
        "password": "etcd-password-0123456789",
    }
    for way in ("replication", "rewind"):
        login = config["postgresql"]["authentication"][way]
        assert (login["sslmode"], login["username"]) == ("verify-full", postgres.REPLICATOR)
        assert "password" not in login
    assert "bootstrap" not in config, "Patroni's own bootstrap waits forever when it is killed half-way"
    assert "etcd-password" not in repr(NODE)


def test_nothing_is_acknowledged_that_one_node_only_has():
    config = json.loads(patroni.shared_json(SERVER))
    assert config["synchronous_mode"] == "quorum" and config["synchronous_mode_strict"] is True
    assert config["synchronous_node_count"] == 1
    assert config["primary_start_timeout"] == 0
    assert config["postgresql"]["use_pg_rewind"] is True and config["postgresql"]["use_slots"] is True
    assert config["postgresql"]["parameters"]["max_connections"] == 500
    own = yaml.safe_load(patroni.patroni_yml(NODE, SERVER))["postgresql"]["parameters"]
    assert not set(own) & set(config["postgresql"]["parameters"]), "one setting in two places"
    assert "synchronous_commit" not in own


def test_a_leader_stays_without_etcd_and_its_key_outlives_it_by_half_a_minute_at_most():
    config = json.loads(patroni.shared_json(SERVER))
    assert config["failsafe_mode"] is True
    assert config["loop_wait"] + 2 * config["retry_timeout"] <= config["ttl"] <= 30, "Patroni's own condition"
    assert config["maximum_lag_on_failover"] <= 2**20
    assert yaml.safe_load(patroni.patroni_yml(NODE, SERVER))["watchdog"] == {"mode": "off"}


def test_what_clerks_wrote_of_people_is_in_no_log():
    config = settings(postgres.postgresql_conf(SERVER))
    for name, value in {
        "log_min_duration_statement": "-1",
        "log_min_error_statement": "'panic'",
        "log_error_verbosity": "'terse'",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "pg_stat_statements.track_utility": "'off'",
    }.items():
        assert config[name] == value, name
    assert config["archive_timeout"] == "'60s'"


def test_what_a_cells_cluster_gives_to_whom():
    sql = postgres.bootstrap_cell("geheim")
    assert "REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;" in sql
    memberships = [line for line in sql.splitlines() if line.startswith("GRANT") and " ON " not in line]
    assert memberships == [
        "GRANT asp_owner TO asp_provisioner WITH INHERIT TRUE, SET TRUE;",
        "GRANT pg_signal_backend TO asp_provisioner;",
    ]
    databases = [line for line in sql.splitlines() if line.startswith("GRANT") and " ON DATABASE " in line]
    assert databases == ["GRANT CONNECT ON DATABASE pbauth TO asp_pooler, asp_provisioner;"]
    for place in ("DATABASE pbauth", "DATABASE asp_template", "SCHEMA pgb", "FUNCTION pgb.get_auth(text)"):
        assert f"REVOKE ALL ON {place} FROM PUBLIC;" in sql
    assert "PUBLIC" not in "".join(line for line in sql.splitlines() if line.startswith("GRANT"))


def test_only_nodes_replicate_and_only_by_certificate():
    lines = postgres.pg_hba_conf(postgres.CELL_RULES, postgres.CELL_LOCAL, NODES).splitlines()
    mine = [line for line in lines if postgres.REPLICATOR in line]
    assert mine == [
        "hostssl replication asp_replicator samenet cert map=nodes",
        "hostssl postgres asp_replicator samenet cert map=nodes",
        "hostssl all asp_replicator all reject",
    ]
    assert lines.index(mine[-1]) < lines.index("hostssl samerole all samenet scram-sha-256 clientcert=verify-ca")
    ident = postgres.pg_ident_conf(postgres.CELL_LOCAL, NODES).splitlines()
    assert [line for line in ident if line.startswith("nodes")] == [f"nodes {node} asp_replicator" for node in NODES]


def test_no_session_of_a_tenant_may_weaken_durability():
    config = settings(postgres.postgresql_conf(SERVER))
    assert config["shared_preload_libraries"] == "'asp_durable,asp_guard,asp_yield,pg_stat_statements'"


def test_the_identity_providers_node_is_its_own_and_may_choose():
    from stacks.components.postgres_node import SingleNodeArgs

    fields = SingleNodeArgs.__dataclass_fields__
    config = settings(postgres.postgresql_conf(fields["server"].default))
    assert "shared_preload_libraries" not in config

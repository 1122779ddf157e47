"""Keycloak with the clerks' realm and the citizens', and its own PostgreSQL (ADR 5)."""

import pulumi

from inventory import memory, placement
from inventory.names import Port
from stacks.components.context import context
from stacks.components.postgres_node import PostgresNode, SingleNodeArgs
from stacks.components.service import File, Health, ServiceArgs, SwarmService
from stacks.configs import citizen_realm, identity_door, realm, weak_passwords
from stacks.configs.places import CERTIFICATE_FILE, KEY_FILE, ROOT_FILE
from stacks.configs.postgres import Login

UID = 10001
ISSUING_FILE = "/etc/asp/issuing.crt"  # the edge passes on a clerk's certificate without its issuer
ctx = context()
names = ctx.names
password = ctx.secrets.password("identity_db")
place = placement.central(ctx.environment)

database = PostgresNode(
    ctx,
    names.identity_db,
    SingleNodeArgs(names.network("identity-db").name, Login("keycloak", "keycloak", password)),
    place,
)
# The door is asked first: without it nobody reaches a Keycloak that is well.
questions = [
    f"https://localhost:{port:d}{path}"
    for port, path in ((Port.IDENTITY, identity_door.HEALTHY), (Port.IDENTITY_MANAGEMENT, identity_door.READY))
]
service = SwarmService(
    ctx,
    names.identity,
    ServiceArgs(
        image="keycloak",
        networks=[names.network(label).name for label in ("identity-db", "edge-identity", "apps-identity")],
        health=Health(["curl", "-fsS", "--fail-early", "--cacert", ROOT_FILE, *questions], start_period=180),
        user=f"{UID}:{UID}",
        uid=UID,
        memory=memory.IDENTITY,
        place=place,
        environment={
            "JAVA_OPTS_KC_HEAP": "-Xms128m -Xmx512m",
            "KC_BOOTSTRAP_ADMIN_CLIENT_ID": realm.OPERATOR,
            "KC_DB_USERNAME": "keycloak",
            "KC_DB_URL": f"jdbc:postgresql://{names.identity_db}:{Port.POSTGRES:d}/keycloak"
            f"?sslmode=verify-full&sslrootcert={ROOT_FILE}",
            "KC_DB_POOL_MAX_SIZE": "40",
            "KC_HOSTNAME": ctx.environment.origin(ctx.environment.identity_host),
            # App servers fetch tokens and keys at the service's own name; what browsers see stays the public one.
            "KC_HOSTNAME_BACKCHANNEL_DYNAMIC": "true",
            "KC_HTTP_ENABLED": "false",
            # Only the door listens on networks.
            "KC_HTTP_HOST": "127.0.0.1",
            "KC_HTTPS_PORT": f"{Port.IDENTITY_LOCAL:d}",
            "KC_HTTP_MANAGEMENT_HOST": "127.0.0.1",
            "KC_HTTP_MANAGEMENT_PORT": f"{Port.IDENTITY_MANAGEMENT:d}",
            "KC_HTTPS_CERTIFICATE_FILE": CERTIFICATE_FILE,
            "KC_HTTPS_CERTIFICATE_KEY_FILE": KEY_FILE,
            "KC_PROXY_HEADERS": "xforwarded",
            "KC_PROXY_TRUSTED_ADDRESSES": "127.0.0.1/32",  # the door, which believes the edge alone
            "KC_TRUSTSTORE_PATHS": f"{ROOT_FILE},{ISSUING_FILE}",
            "KC_LOG_CONSOLE_OUTPUT": "json",
            "KC_LOG_LEVEL": "info,io.smallrye.health:error",  # it would repeat "down" at every check of a starting node
        },
        arguments=[
            "--import-realm",
            f"--spi-password-policy--password-blacklist--blacklists-path={weak_passwords.FOLDER}",
        ],
        files={
            ISSUING_FILE: File(ctx.secrets.pki_ca.certificate),
            identity_door.FILE: File(identity_door.render(ctx.register)),
            f"/etc/asp/{realm.REALM}-realm.json": File(realm.render(ctx.register)),
            f"/etc/asp/{citizen_realm.REALM}-realm.json": File(citizen_realm.render(ctx.register)),
            weak_passwords.FILE: File(weak_passwords.render()),
            "/run/secrets/db-password": File(password, secret=True, uid=UID, mode=0o400),
            "/run/secrets/admin-secret": File(ctx.secrets.password("identity_admin"), secret=True, uid=UID, mode=0o400),
        },
        tmpfs={"/run/asp": 64, "/tmp": 128},
        stop_grace=30,
        converge=300,
    ),
    opts=pulumi.ResourceOptions(depends_on=[database]),
)
pulumi.export("service", service.name)
pulumi.export("issuer", f"{ctx.environment.origin(ctx.environment.identity_host)}/realms/{realm.REALM}")

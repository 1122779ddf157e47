"""step-ca under the vault's intermediate. Its record of issued and revoked certificates is on a volume."""

import pulumi

from inventory import memory, placement
from inventory.names import Port
from stacks.components.context import context
from stacks.components.service import File, Health, ServiceArgs, SwarmService
from stacks.configs import pki_config
from stacks.configs.places import ROOT_FILE

UID = 10001
ctx = context()
authority = ctx.secrets.pki_ca
place = placement.central(ctx.environment)

service = SwarmService(
    ctx,
    ctx.names.pki,
    ServiceArgs(
        image="stepca",
        networks=[ctx.names.network("pki").name],
        health=Health(["curl", "-fsS", "--cacert", ROOT_FILE, f"https://localhost:{Port.PKI:d}/health"]),
        user=f"{UID}:{UID}",
        uid=UID,
        memory=memory.PKI,
        place=place,
        tls=False,  # it issues its own certificate, under the same root
        files={
            pki_config.CONFIG_FILE: File(pki_config.render(ctx.register, ctx.secrets)),
            ROOT_FILE: File(ctx.root_certificate),
            pki_config.INTERMEDIATE_FILE: File(authority.chain),
            pki_config.INTERMEDIATE_KEY_FILE: File(authority.key, secret=True, uid=UID, mode=0o400),
        },
        volumes={"/data": ctx.volume(ctx.names.pki, place).name},
        tmpfs={"/tmp": 16},
        start_first=False,  # one writer of its database
    ),
)
pulumi.export("service", service.name)

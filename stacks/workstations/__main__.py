"""Stand-ins for municipal computers: bare ones. What makes them a clerk's workstation is playbooks/endpoints.yml.

They keep nothing: a new task is a computer just installed, which `make up` sets up again. No part of the centre,
they share no network with it and reach the edge as any computer does, by the port that the machine publishes.
"""

import pulumi

from inventory import placement
from inventory.names import Port
from stacks.components.context import context
from stacks.components.service import File, Health, ServiceArgs, SwarmService

# What sshd (its own jail, another user, a low port) and sudo need. Nothing is added for browsers: see the image.
CAPABILITIES = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
    "SYS_CHROOT",
)
HOST_KEY_FILE = "/run/secrets/ssh_host_ed25519_key"
AUTHORIZED_KEY_FILE = "/etc/ssh/authorized_keys/asp-admin"

ctx = context()
ssh = f"/dev/tcp/127.0.0.1/{Port.SSH:d}"
services = {}
for _, station in ctx.register.workstations():
    services[station.name] = SwarmService(
        ctx,
        ctx.names.workstation(station.name),
        ServiceArgs(
            image="workstation",
            networks=[ctx.names.network("workstations").name],
            health=Health(["bash", "-c", f'read -t 3 banner < {ssh} && [[ "$banner" == SSH-2.0-* ]]']),
            user="0:0",  # as sshd on any PC; whoever signs in is asp-admin
            uid=0,
            memory=2048,  # two browsers
            place=placement.stand_ins(ctx.environment),
            tls=False,
            files={
                HOST_KEY_FILE: File(ctx.secrets.ssh_host_key[0], secret=True, mode=0o400),
                AUTHORIZED_KEY_FILE: File(ctx.secrets.ssh_key[1] + "\n"),
            },
            tmpfs={"/dev/shm": 512},  # Docker's 64 MiB are too few for Chromium's shared memory
            ports={ctx.register.ssh_port(station): Port.SSH},
            capabilities=CAPABILITIES,
            read_only=False,  # it stands in for a PC, which roles change
            start_first=False,
        ),
    )
pulumi.export("services", {name: service.name for name, service in services.items()})

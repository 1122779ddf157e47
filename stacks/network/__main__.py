"""Overlay networks: one a relation between services, so that who can talk to whom is who shares a network.

Internal ones have no way out: which have is said in the register (`inventory.networks.OUTWARD`).
"""

import pulumi
import pulumi_docker as docker

from stacks.components.context import context

ctx = context()
labels = [docker.NetworkLabelArgs(label=key, value=value) for key, value in sorted(ctx.labels.items())]
networks = {
    network.name.name: docker.Network(
        ctx.short(network.name.name),
        name=network.name.name,
        driver="overlay",
        internal=network.internal,
        ipam_configs=[docker.NetworkIpamConfigArgs(subnet=network.name.subnet, gateway=network.name.gateway)],
        labels=labels,
    )
    for network in ctx.register.networks
}
pulumi.export("networks", {name: network.id for name, network in networks.items()})

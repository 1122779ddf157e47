"""Overlay networks: one a relation between services, so that who can talk to whom is who shares a network."""

import pulumi
import pulumi_docker as docker

from inventory.names import SHARED_NETWORKS
from stacks.components.context import context

ctx = context()
wanted = [ctx.names.network(label) for label in SHARED_NETWORKS]
for cell in ctx.environment.cells:
    names = ctx.register.cell(cell.id)
    wanted += [names.apps_network, names.data_network]

labels = [docker.NetworkLabelArgs(label=key, value=value) for key, value in sorted(ctx.labels.items())]
networks = {
    network.name: docker.Network(
        ctx.short(network.name),
        name=network.name,
        driver="overlay",
        ipam_configs=[docker.NetworkIpamConfigArgs(subnet=network.subnet, gateway=network.gateway)],
        labels=labels,
    )
    for network in wanted
}
pulumi.export("networks", {name: network.id for name, network in networks.items()})

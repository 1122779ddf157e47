"""App servers of one cell: one service for each installed system, each holding its own system's key only."""

import pulumi

from stacks.components.app_server import app_server
from stacks.components.context import context
from stacks.components.service import SwarmService

ctx = context()
services = {
    system: SwarmService(ctx, ctx.cell.app(system), app_server(ctx.register, ctx.secrets, ctx.cell, system))
    for system in ctx.register.installed_systems
}
pulumi.export("services", {system: service.name for system, service in services.items()})

"""The edge. It starts without any tenant; tenants come and go by its control program (roles/tenant_edge)."""

import pulumi
from cryptography import x509

from inventory import memory, placement
from inventory.names import Port
from stacks.components.context import context
from stacks.components.service import File, Health, ServiceArgs, SwarmService
from stacks.configs import edge_answers, edge_config, edge_pages

UID = 10001
ctx = context()
names, ports = ctx.names, ctx.environment.ports
place = placement.edge(ctx.environment)
issuing = ctx.secrets.pki_ca.certificate
issuer = x509.load_pem_x509_certificate(issuing.encode()).subject
common_name = str(issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
pages = {f"{edge_answers.PAGES_DIR}/{page}.html": File(edge_pages.render(page)) for page in edge_pages.PAGES}

service = SwarmService(
    ctx,
    names.edge,
    ServiceArgs(
        image="edge",
        networks=[names.network(label).name for label in ("outside", "edge-apps", "edge-identity", "pki")],
        health=Health(["curl", "-fsS", f"http://127.0.0.1:{Port.EDGE_STATUS:d}/healthz"]),
        user=f"{UID}:{UID}",
        uid=UID,
        memory=memory.EDGE,
        place=place,
        environment={
            "ASP_PKI": f"https://{names.pki}:{Port.PKI:d}",
            "ASP_BODY_SECONDS": str(ctx.register.limit("body-seconds")),
            "ASP_UPLOAD_RATE": str(ctx.register.limit("upload-rate")),
            "ASP_CRL_SECONDS": str(ctx.environment.pki.crl_refresh_seconds),
        },
        files={
            edge_config.CONFIG_FILE: File(edge_config.render(ctx.register, common_name)),
            edge_config.CLIENT_CA_FILE: File(ctx.root_certificate + issuing),
            **pages,
        },
        volumes={"/data": ctx.volumes(names.edge, place)},
        tmpfs={"/run/asp": 8, "/tmp": 16},
        ports={ports.https: Port.EDGE_HTTPS, ports.http: Port.EDGE_HTTP},
    ),
)
pulumi.export("service", service.name)

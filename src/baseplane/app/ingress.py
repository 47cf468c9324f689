"""The Postgres door of all projects, with the rules that slices have for it."""

from baseplane.app.files import take_all_files
from baseplane.app.paths import Paths
from baseplane.drivers.certificates import Authority
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.ingress import Limits
from baseplane.drivers.ingress.postgres import PostgresIngress
from baseplane.resources.access import doors as access
from baseplane.resources.accounts import store as accounts_store
from baseplane.resources.doors import presence
from baseplane.resources.doors.gate import ProjectGate
from baseplane.resources.network.rules import BanRule, check_network
from baseplane.resources.pooler import pools
from baseplane.runtime import Runtime


def build_ingress(rt: Runtime) -> PostgresIngress:
    """The Postgres door over an open runtime; it listens when told where."""
    layout = Layout(rt.settings.data_dir)
    bans = BanRule.of(rt.settings)
    find = accounts_store.find_caller
    gate = ProjectGate(
        rt,
        lambda name: layout.cluster(name).socket,
        pools.enter,
        access.login_by(find),
        checks=(check_network, access.check_temporary_role, access.check_token(find)),
        witnesses=(bans.note,),
        at_login=(bans.check,),
    )
    authority = Authority(Paths(rt.settings.data_dir).authority)
    return PostgresIngress(gate, authority, rt.settings.project_host, Limits())


async def run_ingress(rt: Runtime) -> None:
    """Serve the Postgres door on its two ports, until cancelled."""
    take_all_files()
    ingress = build_ingress(rt)
    settings = rt.settings
    try:
        await ingress.listen(settings.ingress_host, settings.postgres_port)
        await ingress.listen(settings.ingress_host, settings.pooler_port, pooled=True)
        await ingress.listen_locally(Layout(settings.data_dir).door)
        await presence.attend(rt, ingress)
    finally:
        await ingress.close()

"""Postgres engines: the programs and libraries of one major version, installed by us or found on this machine."""

from baseplane.drivers.cluster.engines.engine import Engine, EngineMissing
from baseplane.drivers.cluster.engines.fetching import InstallFailed
from baseplane.drivers.cluster.engines.finding import found, pick
from baseplane.drivers.cluster.engines.installing import PlatformUnsupported, install, installed
from baseplane.drivers.cluster.engines.recipes import EXTENSIONS, RECIPES

__all__ = [
    "EXTENSIONS",
    "RECIPES",
    "Engine",
    "EngineMissing",
    "InstallFailed",
    "PlatformUnsupported",
    "found",
    "install",
    "installed",
    "pick",
]

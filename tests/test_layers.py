"""Imports follow the design's layers, one way: proved by walking every import in `cassette/`.

An import counts wherever it is: inside a function and under TYPE_CHECKING too.
"""

from __future__ import annotations

import ast
import functools
import graphlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "cassette"

# A component is a module or a subpackage of `cassette`; the virtual time is part of `player`.
PART_OF = {
    "clock": "player",
    "sleeps_and_clocks": "player",
    "event_loop": "player",
    "function_replacements": "player",
    "botocore_sessions": "intercept",
}

MODEL = {"errors", "ecs", "model", "validation"}
COMPONENTS = {"file_format", "scrub", "patch", "player", "diff", "intercept"}
VERBS = {"recorder", "replayer"}
# The parts of `replay`: cassettes by name, its options, what a test holds of it.
REPLAY = {"variants", "replay_options", "tape"}
BELOW_EDGES = (
    MODEL
    | COMPONENTS
    | {"library", "packs", "project_settings", "recording", "task_outcomes"}
    | VERBS
    | REPLAY
)
EDGES = {"pytest_plugin", "cli", "demo"}

MAY_IMPORT: dict[str, set[str]] = {
    # Where the built-in pack is.
    "built_in": set(),
    # Which line of the user's code a warning or an error shows.
    "calling_line": set(),
    "errors": {"built_in"},
    # Names and ARNs, shapes, states: what ECS is, whatever is done with it.
    "ecs": {"errors"},
    "model": {"errors", "ecs"},
    # The rules of what ECS can answer: data over the model, for patches and for files.
    "validation": {"errors", "ecs", "model"},
    **dict.fromkeys(COMPONENTS, MODEL),
    "player": MODEL | {"built_in", "calling_line"},
    # Packs of cassettes, found in folders and in installed distributions.
    "packs": MODEL | {"built_in", "file_format"},
    "library": MODEL | {"file_format", "packs", "importers"},
    # Where pytest's settings say that cassettes are.
    "project_folders": MODEL | {"library"},
    # A project's own scrubbing rules, found and checked.
    "project_settings": MODEL | {"scrub"},
    # Reads what other tools recorded.
    "importers": MODEL | {"file_format"},
    # What record and replay have in common: a context manager that is also a decorator.
    "class_decorator": {"errors"},
    "context_decorator": {"errors", "class_decorator", "calling_line"},
    # What a call says of each task.
    "task_outcomes": MODEL,
    # What is kept of the calls while they are recorded.
    "recording": MODEL | {"intercept", "scrub", "task_outcomes"},
    # What of a refused recording may be kept.
    "refused_recording": MODEL | {"file_format", "scrub"},
    # What happens to a recording after its responses came: scrubbed, audited, written in parts.
    "pipeline": MODEL | {"file_format", "scrub", "recording", "refused_recording", "resumption"},
    # What a recording that continues knows of the file that it continues.
    "resumption": MODEL | {"file_format", "scrub", "recording", "task_outcomes"},
    "recorder": MODEL
    | COMPONENTS
    | {"project_settings", "context_decorator", "recording", "pipeline", "resumption"},
    "replayer": MODEL
    | COMPONENTS
    | REPLAY
    | {"built_in", "library", "packs", "project_settings", "context_decorator", "calling_line"},
    "variants": MODEL | COMPONENTS | {"library"},
    "replay_options": MODEL | {"player"},
    "tape": MODEL | {"built_in", "intercept", "player", "scrub"},
    # A record mode is one verb, the other, or both.
    "record_modes": BELOW_EDGES | {"diff", "context_decorator"},
    # What is asked of live ECS, in which order, how fast.
    "live": {"errors", "ecs", "intercept"},
    # What one looks at: the life of each task, and the page that shows it.
    "lives": MODEL,
    "page": MODEL | {"lives"},
    # A replay for other processes, over HTTP.
    "server": MODEL
    | {"library", "replayer", "variants", "patch", "player", "context_decorator", "intercept"}
    | {"tape", "replay_options", "scrub"},
    # What a child process of `cassette run` is given, and how it is run.
    "child": {"errors"},
    # What a command talks to while it is recorded: the only server that connects out.
    "live_server": MODEL | {"server"},
    # Text on a terminal, folded: what the commands and the demo print.
    "terminal": set(),
    # Files that are already there: searched, scrubbed, imported.
    "files": BELOW_EDGES | {"importers"},
    # Fetches and publishes packs: the only code that reaches a store.
    "sharing": MODEL
    | {"file_format", "scrub", "diff", "packs", "library", "project_settings"}
    | {"files"},
    **dict.fromkeys(EDGES, BELOW_EDGES | {"record_modes", "files", "terminal"}),
    "demo": BELOW_EDGES | {"live", "terminal"},
    "pytest_plugin": BELOW_EDGES
    | {"record_modes", "built_in", "context_decorator", "calling_line", "server", "child"}
    | {"terminal"},
    # The command line starts the demo; nothing else imports an edge.
    "cli": BELOW_EDGES
    | {"built_in", "live", "record_modes", "project_folders", "files", "demo", "lives"}
    | {"page", "sharing", "server", "child", "live_server", "terminal"},
    # The face: what users import, and `python -m cassette`.
    "__init__": BELOW_EDGES | {"server"},
    "__main__": {"cli"},
}

# Which component may import which third-party package. botocore's data is free, its runtime is not.
CLIENT = {"botocore.session", "botocore.config"}
# What a request that another program made is signed and sent with.
SIGNING = {"botocore.auth", "botocore.awsrequest", "botocore.httpsession", "botocore.utils"}
BOTOCORE_DATA = {
    "botocore.__version__",
    "botocore.compat",
    "botocore.exceptions",
    "botocore.loaders",
    "botocore.model",
    "botocore.parsers",
    "botocore.validate",
}
ONLY_IN: dict[str, set[str]] = {
    "aiobotocore": {"intercept"},
    "boto3": {"demo"},
    "moto": {"demo"},
    "kingfisher_sdk": {"scrub"},
    "urllib3": {"sharing"},
    "fsspec": {"sharing"},
    "yaml": {"file_format", "importers"},
    "time_machine": {"player"},
    "tomllib": {"packs", "project_settings", "project_folders"},
    "tomli": {"packs", "project_settings", "project_folders"},
    "jsonpatch": {"file_format", "patch"},
    "click": {"cli"},
    "rich": {"cli", "demo", "terminal"},
    "pytest": {"pytest_plugin"},
    "_pytest": set(),
}


@dataclass(frozen=True)
class Import:
    """One import: the importer, the imported name, and the line."""

    module: str
    target: str
    place: str

    def __str__(self) -> str:
        return f"{self.place}: {self.module} imports {self.target}"


@dataclass(frozen=True)
class Tree:
    """The modules of a package, and every import in them."""

    modules: frozenset[str]
    imports: tuple[Import, ...]

    def inner(self) -> Iterator[tuple[Import, str]]:
        """The imports of our own modules, each with the module it reaches."""
        for found in self.imports:
            if within(found.target, {"cassette"}):
                # `from cassette.file_format import load` reaches the module cassette.file_format.
                target = found.target
                while target not in self.modules and "." in target:
                    target = target.rpartition(".")[0]
                yield found, target


def within(name: str, packages: set[str]) -> bool:
    """Whether a dotted name is one of these packages or inside one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def read(package: Path) -> Tree:
    """Parse every file of a package."""
    modules: set[str] = set()
    imports: list[Import] = []
    for file in sorted(package.rglob("*.py")):
        parts = ("cassette", *file.relative_to(package).with_suffix("").parts)
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        modules.add(module)
        parent = module if is_package else module.rpartition(".")[0]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for target in targets(node, parent):
                place = f"{file.relative_to(package.parent)}:{node.lineno}"
                imports.append(Import(module, target, place))
    return Tree(frozenset(modules), tuple(imports))


def targets(node: ast.AST, parent: str) -> list[str]:
    """The full dotted names that one statement or call imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            above = parent.split(".")[: len(parent.split(".")) - node.level + 1]
            base = ".".join([*above, *filter(None, [node.module])])
        return [f"{base}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name in ("import_module", "__import__"):
            return [str(node.args[0].value)]
    return []


def component_of(module: str) -> str:
    """The component that a module of `cassette` belongs to."""
    name = module.split(".")[1] if "." in module else "__init__"
    return PART_OF.get(name, name)


def broken_layers(tree: Tree) -> list[str]:
    """Modules without a place in the table, and imports that it does not allow."""
    homeless = [
        f"{module} has no place in the layer table"
        for module in sorted(tree.modules)
        if component_of(module) not in MAY_IMPORT
    ]
    wrong = [
        str(found)
        for found, target in tree.inner()
        if component_of(target) != component_of(found.module)
        and component_of(target) not in MAY_IMPORT.get(component_of(found.module), set())
    ]
    return homeless + wrong


def broken_fences(tree: Tree) -> list[str]:
    """Imports of third-party packages by a component that must not use them."""
    return [str(found) for found in tree.imports if not _fence_is_open(found)]


def _fence_is_open(found: Import) -> bool:
    component, target = component_of(found.module), found.target
    if within(target, {"botocore"}):
        return (
            component == "intercept"
            or target == "botocore"
            or within(target, BOTOCORE_DATA)
            or (component in ("cli", "demo", "sharing") and within(target, CLIENT))
            or (component == "live_server" and within(target, CLIENT | SIGNING))
        )
    return component in ONLY_IN.get(target.split(".")[0], {component})


def cycle(tree: Tree) -> list[str]:
    """The modules of one import cycle; empty if there is none."""
    graph: dict[str, set[str]] = {module: set() for module in tree.modules}
    for found, target in tree.inner():
        graph[found.module].add(target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


# -- the package as it is -----------------------------------------------------------------


@functools.cache
def as_it_is() -> Tree:
    return read(PACKAGE)


def test_imports_follow_the_layers():
    """Every module has a place in the design's table and imports only what that allows."""
    assert broken_layers(as_it_is()) == []


def test_third_party_packages_stay_in_their_components():
    """Only certain components use botocore's runtime, YAML, JSON Patch, pytest and the terminal."""
    assert broken_fences(as_it_is()) == []


def test_only_sync_and_publish_can_reach_a_store():
    """A test run, and every other command, reads packs from this machine only."""
    importers = {
        found.module
        for found, target in as_it_is().inner()
        if within(target, {"cassette.sharing"}) and component_of(found.module) != "sharing"
    }
    assert importers == {"cassette.cli.sync", "cassette.cli.publish"}


def test_no_import_cycle():
    """Imports have no cycle, neither between components nor inside one."""
    assert cycle(as_it_is()) == []


def test_the_walk_sees_the_package():
    """The walk reads the real files."""
    tree = as_it_is()
    assert {"cassette", "cassette.errors", "cassette.ecs.shapes", "cassette.model"} <= tree.modules
    assert ("cassette.model", "cassette.ecs.shapes") in {(i.module, t) for i, t in tree.inner()}


def test_every_row_of_the_table_is_a_component():
    """A row about a component that no longer exists would check nothing."""
    components = {component_of(module) for module in as_it_is().modules}
    assert set(MAY_IMPORT) == components
    assert set().union(*ONLY_IN.values(), *MAY_IMPORT.values()) <= components


# -- the check itself ---------------------------------------------------------------------


def made_up(folder: Path, **files: str) -> Tree:
    """A package of these files; `__` in a name is a folder separator."""
    package = folder / "cassette"
    for name, source in {"init": "", **files}.items():
        file = package / f"{name.replace('__', '/')}.py".replace("init.py", "__init__.py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, encoding="utf-8")
    return read(package)


@pytest.mark.parametrize(
    "source",
    [
        "from cassette import scrub",
        "from cassette.scrub import rules",
        "import cassette.scrub.rules",
        "from . import scrub",
        "from .scrub import rules",
        "def late():\n    import cassette.scrub",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from cassette.scrub import rules",
        "import importlib\nimportlib.import_module('cassette.scrub')",
        "try:\n    import cassette.scrub\nexcept ImportError:\n    pass",
    ],
)
def test_a_sideways_import_is_found(tmp_path, source):
    """In every form of an import."""
    tree = made_up(tmp_path, file_format=source, scrub__init="", scrub__rules="")
    (problem,) = broken_layers(tree)
    assert problem.startswith("cassette/file_format.py:")
    assert "cassette.file_format imports cassette.scrub" in problem


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("errors", "model"),
        ("ecs", "model"),
        ("library", "scrub"),
        ("recorder", "replayer"),
        ("replayer", "cli"),
        ("pytest_plugin", "cli"),
        ("demo", "cli"),
        ("init", "cli"),
        ("model", "init"),
    ],
)
def test_an_import_against_the_table_is_found(tmp_path, importer, imported):
    """Upwards, sideways or around the edges, each is one problem."""
    source = "import cassette" if imported == "init" else f"from cassette import {imported}"
    tree = made_up(tmp_path, **{imported: "", importer: source})
    assert len(broken_layers(tree)) == 1


def test_a_module_without_a_place_is_found(tmp_path):
    """A new module needs a line in the table: `utils` has none."""
    assert broken_layers(made_up(tmp_path, utils="")) == [
        "cassette.utils has no place in the layer table"
    ]


def test_what_the_table_allows_passes(tmp_path):
    """A component may import its own submodules, the model layer, and an edge everything below."""
    tree = made_up(
        tmp_path,
        errors="",
        model="from cassette.errors import CassetteError",
        file_format__init="from cassette.file_format.reader import read",
        file_format__reader="from ..model import Cassette\nfrom .text import line",
        file_format__text="",
        player="from cassette.clock import Clock",
        clock="from cassette import model",
        replayer="from cassette import model, player, file_format",
        cli__init="from cassette import demo, replayer",
        demo="",
    )
    assert broken_layers(tree) == []
    assert cycle(tree) == []


@pytest.mark.parametrize(
    ("component", "source"),
    [
        ("player", "import botocore.endpoint"),
        ("replayer", "from botocore.waiter import Waiter"),
        ("recorder", "from botocore import session"),
        ("ecs", "import botocore.awsrequest"),
        ("replayer", "import boto3"),
        ("replayer", "def late():\n    import aiobotocore.endpoint"),
        ("patch", "import yaml"),
        ("scrub", "from jsonpatch import JsonPatch"),
        ("replayer", "import pytest"),
        ("recorder", "from rich.console import Console"),
    ],
)
def test_another_package_in_the_wrong_component_is_found(tmp_path, component, source):
    """A package that is allowed in one component only is found in any other."""
    assert len(broken_fences(made_up(tmp_path, **{component: source}))) == 1


@pytest.mark.parametrize(
    ("component", "source"),
    [
        ("intercept", "import botocore.endpoint, aiobotocore.endpoint"),
        ("ecs", "import botocore.loaders\nfrom botocore.model import Shape"),
        ("recorder", "import botocore"),
        ("cli__record", "import botocore.session"),
        ("file_format__reader", "import yaml"),
    ],
)
def test_another_package_in_its_component_passes(tmp_path, component, source):
    """A package is allowed in its own component."""
    assert broken_fences(made_up(tmp_path, **{component: source})) == []


def test_a_cycle_inside_a_component_is_found(tmp_path):
    """The table allows imports inside a component, but not in a cycle."""
    tree = made_up(
        tmp_path,
        file_format__init="",
        file_format__reader="from cassette.file_format import writer",
        file_format__writer="def late():\n    from cassette.file_format.reader import read",
    )
    assert broken_layers(tree) == []
    assert set(cycle(tree)) == {"cassette.file_format.reader", "cassette.file_format.writer"}

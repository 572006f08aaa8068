"""The house rules that no other tool checks."""

import ast
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("consent", "ledger", "genomics", "platform/gemmule")
_VENDORED = {"vendor", "vectors", "data", "fonts"}
_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "core", "misc"}


def _files(*suffixes: str, under: tuple[str, ...] = (*ROOMS, "tests")) -> list[Path]:
    """Return our own files, without what a tool made or what came from elsewhere."""
    return [
        path
        for room in under
        for path in sorted((ROOT / room).rglob("*"))
        if path.suffix in suffixes
        and path.is_file()
        and not _VENDORED & set(path.relative_to(ROOT).parts)
        and not {"__pycache__", "migrations"} & set(path.parts)
    ]


def _names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


# --- platform/ is a source root ----------------------------------------------


def test_platform_is_no_package() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_import_platform_gives_the_standard_library() -> None:
    stdlib = Path(sysconfig.get_path("stdlib")).resolve()
    assert Path(platform.__file__).resolve().parent == stdlib


def test_import_platform_gives_the_standard_library_from_the_root() -> None:
    # `python -m` and `python -c` put the current directory first on the path.
    program = "import platform, gemmule; print(platform.__file__); gemmule.__file__"
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(answer.stdout.strip()).name == "platform.py"


# --- modules -----------------------------------------------------------------


def test_files_are_found() -> None:
    assert len(_files(".py")) > 50
    assert _files(".html")


def test_tests_hide_no_package() -> None:
    inits = [path for path in _files(".py", under=("tests",)) if _is_init(path)]
    assert _names(inits) == ["tests/__init__.py"]


def test_package_files_hold_a_docstring_alone() -> None:
    for path in _files(".py", under=ROOMS):
        if _is_init(path):
            body = ast.parse(path.read_text()).body
            assert len(body) == 1, f"{path} holds more than a docstring"
            assert ast.get_docstring(ast.parse(path.read_text())), f"{path}: docstring"


def test_no_file_has_more_than_400_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in _files(".py", ".html", ".css", ".js")
        if (lines := len(path.read_text().splitlines())) > 400
    ]
    assert long == []


def test_every_name_says_something() -> None:
    nothing = [
        path
        for path in _files(".py", ".html", ".css", ".js")
        if _SAY_NOTHING & {*path.relative_to(ROOT).parts, path.stem}
    ]
    assert _names(nothing) == []


def test_every_folder_of_code_is_a_package() -> None:
    folders = {path.parent for path in _files(".py", under=ROOMS)}
    bare = sorted(folder for folder in folders if not (folder / "__init__.py").exists())
    assert _names(bare) == []


# --- templates under a strict content security policy -------------------------

# A block of JSON is data to the browser, which neither runs nor refuses it.
_INLINE = re.compile(
    r"""\sstyle\s*=|<style|\son[a-z]+\s*=\s*["']"""
    r"""|<script(?![^>]*\s(?:src=|type="application/json"))"""
)


def test_no_template_holds_inline_style_or_script() -> None:
    inline = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in _files(".html", ".svg", under=("platform/gemmule",))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if _INLINE.search(line)
    ]
    assert inline == []


@pytest.mark.parametrize(
    "line",
    [
        '<p style="color: red">',
        "<style>",
        "<script>",
        '<a onclick="go()">',
        '<script type="module">',
    ],
)
def test_inline_style_and_script_are_recognised(line: str) -> None:
    assert _INLINE.search(line)


@pytest.mark.parametrize(
    "line",
    [
        '<script type="application/json">{"a": 1}</script>',
        "<script src=\"{% static 'web/js/seal.js' %}\" defer></script>",
        '<p data-once="x" class="style">on = off</p>',
    ],
)
def test_data_and_files_are_let_pass(line: str) -> None:
    assert not _INLINE.search(line)


# --- tests that can fail -------------------------------------------------------


def test_no_test_is_skipped() -> None:
    marks = re.compile(r"mark\.(skip|xfail)|pytest\.(skip|xfail|importorskip)\(")
    assert _grep(marks, _files(".py", under=("tests",))) == []


def test_no_test_sleeps_instead_of_waiting() -> None:
    mine = {ROOT / "tests" / "waiting.py", Path(__file__)}
    others = [path for path in _files(".py", under=("tests",)) if path not in mine]
    assert _grep(re.compile(r"\bsleep\("), others) == []


def _grep(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if pattern.search(line)
    ]


# --- settings and the environment ----------------------------------------------

_READER = re.compile(r"env_|_database$")
_VARIABLE = re.compile(r"(GEMMULE_[A-Z0-9_]+|REDIS_URL|(VAULT_)?DATABASE_URL)")


def _variables_read() -> set[str]:
    """Return every variable that product code names, secrets also by their file."""
    names = set()
    for path in _files(".py", under=("platform/gemmule",)):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _READER.match(_called(node)):
                names |= set(_names_given(node))
    return names


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _names_given(node: ast.Call) -> Iterator[str]:
    first = node.args[0] if node.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        yield first.value
        if _called(node) == "env_secret":
            yield f"{first.value}_FILE"


def _variables_shown() -> list[str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return [
        match[1] for line in lines if (match := re.match(r"(?:# )?([A-Z0-9_]+)=", line))
    ]


def test_example_shows_every_variable_once_and_no_other() -> None:
    shown = _variables_shown()
    assert sorted(shown) == sorted(_variables_read())


def test_every_variable_is_read_by_a_strict_reader() -> None:
    """A name that stands in the code must pass through one of the readers."""
    named = {
        match[0]
        for path in _files(".py", under=("platform/gemmule",))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and (match := _VARIABLE.fullmatch(node.value))
    }
    assert named <= _variables_read()


# --- commands --------------------------------------------------------------------

_UV = "python3 -m venv .uv && .uv/bin/pip install -q uv && .uv/bin/uv run "


def _readme_commands() -> list[str]:
    text = (ROOT / "README.md").read_text()
    return re.findall(r"^(?:\$ )?(python3 -m venv .*)$", text, re.MULTILINE)


def test_readme_gives_two_commands() -> None:
    assert _readme_commands() == [
        f"{_UV}manage.py demo",
        f"{_UV}pytest --install-browser",
    ]


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert _readme_commands()[1] in (ROOT / ".ci" / "run").read_text().splitlines()


def _is_init(path: Path) -> bool:
    return path.name == "__init__.py"

"""Styles, scripts and fonts: all from this site, none inline, readable by everyone."""

import re
from itertools import product
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

WEB = Path(__file__).parents[3] / "platform" / "gemmule" / "web"
STATIC = WEB / "static" / "web"
STYLES = sorted(STATIC.glob("css/*.css"))
SCRIPTS = sorted(STATIC.glob("js/*.js"))
TEMPLATES = sorted(WEB.glob("templates/**/*.html"))
LIGHT, DARK = "light", "dark"


def name_of(path: Path) -> str:
    """Return how a test's case is called."""
    return str(path.relative_to(WEB))


def colours(scheme: str) -> dict[str, str]:
    """Return the colours of a scheme by name, as `tokens.css` states them."""
    light, dark = (STATIC / "css" / "tokens.css").read_text().split("@media", 1)
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light))
    assert len(found) >= 18
    if scheme == DARK:
        changed = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", dark))
        assert changed.keys() == found.keys(), "a colour without its dark twin"
        found.update(changed)
    return found


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb` (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_the_standard_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


GROUNDS = ["paper", "wash", "field", "accent-wash", "amber-wash", "brick-wash"]


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
@pytest.mark.parametrize(
    ("front", "ground", "least"),
    [
        # Body text, AAA.
        *product(["ink"], GROUNDS, [7.0]),
        *product(["soft"], ["paper"], [7.0]),
        # Links, statuses, errors and what stands on a coloured ground, AA.
        *product(["soft"], GROUNDS, [4.5]),
        *product(["accent", "accent-deep"], ["paper", "wash", "accent-wash"], [4.5]),
        *product(["amber"], ["paper", "wash", "amber-wash"], [4.5]),
        *product(["brick", "brick-deep"], ["paper", "wash", "brick-wash"], [4.5]),
        ("on-accent", "accent", 4.5),
        ("on-accent", "accent-deep", 4.5),
        ("on-brick", "brick", 4.5),
        ("on-brick", "brick-deep", 4.5),
        # Edges of controls and the shapes of plots, which are not text.
        ("edge", "paper", 3.0),
        ("edge", "field", 3.0),
        ("amber-mark", "paper", 3.0),
    ],
)
def test_colours_can_be_read(
    front: str, ground: str, least: float, scheme: str
) -> None:
    found = colours(scheme)
    assert contrast(found[front], found[ground]) >= least


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_has_no_inline_style_or_script(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style\b", text)
    assert not re.search(r"""\sstyle\s*=""", text)
    assert not re.search(r"""<[^>]*\son[a-z]+\s*=""", text)
    assert "javascript:" not in text
    assert "hx-on" not in text, "htmx would have to evaluate it"
    assert "hx-vals='js:" not in text
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script or 'type="application/json"' in script


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_names_only_files_that_exist(path: Path) -> None:
    for name in re.findall(r"\{% static '([^']+)' %\}", path.read_text()):
        assert finders.find(name), name


@pytest.mark.parametrize("path", STYLES, ids=name_of)
def test_a_style_sheet_takes_everything_from_this_site(path: Path) -> None:
    text = path.read_text()
    assert "@import" not in text, "a chain of requests"
    for address in re.findall(r"url\(\"?([^)\"]+)", text):
        assert (path.parent / address).is_file(), address


@pytest.mark.parametrize("path", STYLES, ids=name_of)
def test_a_style_sheet_uses_only_tokens_that_exist(path: Path) -> None:
    everything = "".join(style.read_text() for style in STYLES)
    known = set(re.findall(r"(--[a-z0-9-]+):", everything))
    assert set(re.findall(r"var\((--[a-z0-9-]+)", path.read_text())) <= known


@pytest.mark.parametrize(
    "path", [style for style in STYLES if style.name != "fonts.css"], ids=name_of
)
def test_every_rule_lies_in_a_layer(path: Path) -> None:
    bare = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    depth, outside = 0, ""
    for sign in bare:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        outside += sign if not depth else ""
    assert depth == 0
    assert re.fullmatch(r"(\s|@layer [a-z, ]+;?|\})*", outside), outside


def test_styles_stay_small() -> None:
    assert sum(len(style.read_bytes()) for style in STYLES) < 50_000


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_script_is_small_and_writes_text_not_markup(path: Path) -> None:
    text = path.read_text()
    assert len(text) < 2_000
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text
    )
    assert not re.search(r"\beval\b|new Function|setTimeout\(\s*[\"']", text)


def test_every_font_lies_beside_its_licence() -> None:
    fonts = sorted((STATIC / "fonts").glob("*.woff2"))
    assert len(fonts) == 12
    sheet = (STATIC / "css" / "fonts.css").read_text()
    for font in fonts:
        family = font.name.partition("-latin")[0]
        licence = (STATIC / "fonts" / f"{family}.OFL.txt").read_text()
        assert "SIL OPEN FONT LICENSE Version 1.1" in licence
        assert "Reserved Font Name" in licence
        assert font.name in sheet
        assert font.read_bytes()[:4] == b"wOF2"


def test_the_policy_allows_nothing_inline() -> None:
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    assert directives["default-src"] == ["'none'"]
    allowed = {source for sources in directives.values() for source in sources}
    assert allowed == {"'none'", "'self'"}

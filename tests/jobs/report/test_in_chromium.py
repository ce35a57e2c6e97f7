"""The report in a real browser: it shows texts, runs nothing of theirs, filters and prints.

Screenshots go to the folder NEGMINE_SCREENSHOTS, else to the tests' temporary folder.
"""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from negmine.jobs.report import write_report
from negmine.jobs.terminal import printable
from tests.jobs.report.a_run import DROPS, TIERS, good_metrics, row, write_run
from tests.jobs.report.browser import Browser, find_chromium

PROGRAM = find_chromium()
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no Chromium on the path; install the package chromium or set CHROMIUM"
)
FLAG = "window.attacked = true"
ATTACK = "\n".join(
    (
        f"<script>{FLAG}</script>",
        f"</script><script>{FLAG}</script><!-- --!><script>{FLAG}</script> ]]>",
        f"</style></title></textarea></noscript><img src=x onerror='{FLAG}'>",
        f"<svg/onload={FLAG}><iframe srcdoc='<script>parent.{FLAG}</script>'></iframe>",
        f"\" autofocus onfocus=\"{FLAG}\" ' onmouseover='{FLAG}' x=`",
        f"<a href='javascript:{FLAG}'>a</a><meta http-equiv=refresh content='0;url=http://127.0.0.1/'>",
        "\0 \u2028 \u2029 \u202e reversed \u2066 \ufeff \x1b[31m ${1} {{1}} &lt;b&gt;",
    )
)
BAD = ("anisotropy", "evaluation_documents")
PAIRS = "Array.from(document.querySelectorAll('.pair')).filter(p => !p.hidden)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM) as opened:
        yield opened


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("NEGMINE_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    metrics = [r for r in good_metrics(120) if r["metric"] not in BAD]
    metrics += [row("anisotropy", 0.8, 0.01), row("evaluation_documents", 2)]
    return write_report(write_run(tmp_path_factory.mktemp("plain") / "r", 120, metrics=metrics))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    metrics = [row("hub", 50, key=ATTACK), row("verdict", 5, key=ATTACK)]
    metrics += [row("eci_equal_n", 0.4, source=ATTACK), *good_metrics(60)]
    return write_report(write_run(tmp_path_factory.mktemp("hostile") / "r", 60, ATTACK, metrics))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 900)])
def test_it_fits_its_window_and_takes_its_scheme(
    browser: Browser, plain: Path, shots: Path, width: int, height: int, scheme: str
) -> None:
    browser.open(plain, width, height, scheme)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 21, 27)"}[scheme]
    for whole in (False, True):
        name = f"{width}-{scheme}{'-whole' if whole else ''}.png"
        assert browser.photograph(shots / name, whole).startswith(b"\x89PNG")


def test_the_first_screen_of_a_phone_has_the_three_numbers_and_the_verdict(
    browser: Browser, plain: Path
) -> None:
    browser.open(plain, 390, 844)
    bottoms = browser.evaluate(
        "Array.from(document.querySelectorAll('nav a:first-child, .big b'), "
        "e => e.getBoundingClientRect().bottom)"
    )
    assert all(bottom <= 844 for bottom in bottoms[:4])
    told = browser.evaluate("document.querySelector('nav a').textContent")
    assert told == "2 things to look at, 1 serious"


def test_numbers_of_tiers_sources_and_judge_are_whole_on_a_phone(
    browser: Browser, plain: Path
) -> None:
    browser.open(plain, 390, 844)
    cells = browser.evaluate(
        "Array.from(document.querySelectorAll('.stacked td, .stacked td small'), "
        "e => [e.getBoundingClientRect().left, e.getBoundingClientRect().right, "
        "e.scrollWidth - e.clientWidth])"
    )
    assert len(cells) > 30
    assert all(left >= 0 and right <= 390 and hidden <= 0 for left, right, hidden in cells)


def test_no_label_of_a_plot_lies_over_another(browser: Browser, plain: Path) -> None:
    for width in (390, 1280):
        browser.open(plain, width)
        over = browser.evaluate(
            "Array.from(document.querySelectorAll('svg'), s => {"
            " const boxes = Array.from(s.querySelectorAll('text'), t => t.getBoundingClientRect());"
            " return boxes.some((a, i) => boxes.some((b, j) => i < j &&"
            " Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&"
            " Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)) })"
        )
        assert over and not any(over)


def test_text_in_plots_can_be_read_on_a_phone(browser: Browser, plain: Path) -> None:
    browser.open(plain, 390, 844)
    heights = browser.evaluate(
        "Array.from(document.querySelectorAll('svg text'), e => e.getBoundingClientRect().height)"
    )
    assert len(heights) > 30
    assert min(heights) >= 11


def test_it_prints_the_findings_and_a_few_pairs(browser: Browser, plain: Path, shots: Path) -> None:
    browser.open(plain, scheme="dark")
    printed = browser.print(shots / "print.pdf")
    assert printed.startswith(b"%PDF")
    assert 2 <= printed.count(b"/Type /Page\n") <= 12
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    shown = f"{PAIRS}.filter(p => p.checkVisibility()).length"
    assert browser.evaluate(shown) == 3
    browser.photograph(shots / "print.png", whole=True)


def test_nothing_but_the_file_is_asked_for_and_nothing_is_refused(
    browser: Browser, plain: Path
) -> None:
    browser.open(plain)
    browser.evaluate("new Promise(done => setTimeout(done, 200))")
    assert browser.requests() == [plain.resolve().as_uri()]
    assert browser.complaints() == []


def test_texts_that_attack_are_shown_and_run_nothing(
    browser: Browser, hostile: Path, shots: Path
) -> None:
    browser.open(hostile)
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    browser.evaluate(
        "document.querySelectorAll('*').forEach(e => { e.dispatchEvent(new Event('mouseover')); "
        "e.dispatchEvent(new Event('focus')); e.dispatchEvent(new Event('error')) })"
    )
    browser.evaluate("new Promise(done => setTimeout(done, 200))")
    assert browser.evaluate("window.attacked") is None
    assert browser.requests() == [hostile.resolve().as_uri()]
    assert browser.complaints() == []
    counted = (
        "['script', 'style', 'img', 'iframe', 'title']"
        ".map(t => document.getElementsByTagName(t).length)"
    )
    assert browser.evaluate(counted) == [1, 1, 0, 0, 1]
    shown = browser.evaluate(f"{PAIRS}[0].querySelectorAll('.text')[1].textContent")
    assert shown.partition(" ")[2] == printable(ATTACK, keep="\n\t")
    browser.photograph(shots / "attack.png")


def test_a_script_that_got_in_would_be_refused(
    browser: Browser, plain: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.html"
    attack = f"<script>{FLAG}</script><img src='http://127.0.0.1:9/x' onerror='{FLAG}'></main>"
    broken.write_text(plain.read_text(encoding="utf-8").replace("</main>", attack), "utf-8")
    browser.open(broken)
    browser.evaluate("new Promise(done => setTimeout(done, 300))")
    assert browser.evaluate("window.attacked") is None
    assert len(browser.complaints()) >= 2


def choose(browser: Browser, place: str, value: str) -> Any:
    """Set a filter as a reader would; returns how many pairs are left and what the page says."""
    browser.evaluate(
        f"(() => {{ const e = document.getElementById('{place}'); e.value = {value!r}; "
        "e.dispatchEvent(new Event('input', {bubbles: true})) })()"
    )
    return browser.evaluate(f"[{PAIRS}.length, document.getElementById('shown').textContent]")


def test_filters_leave_what_they_say(browser: Browser, plain: Path) -> None:
    browser.open(plain)
    total = browser.evaluate("document.querySelectorAll('.pair').length")
    assert total == 40 * (len(TIERS) + len(DROPS))
    assert choose(browser, "search", "") == [total, f"{total} of {total} pairs"]

    count, told = choose(browser, "filter-verdict", "1")
    assert (count, told) == (40, f"40 of {total} pairs")
    group = browser.evaluate(
        "document.querySelector('.group:not([hidden]) summary h3').textContent"
    )
    assert group == f"dropped {DROPS[0]}"
    assert browser.evaluate("document.querySelector('.group:not([hidden])').open") is True
    choose(browser, "filter-verdict", "")

    source = browser.evaluate(
        "Array.from(document.getElementById('filter-source').options)"
        ".find(o => o.text === 'random').value"
    )
    count, _ = choose(browser, "filter-source", source)
    told = f"{PAIRS}.every(p => p.querySelector('dd').textContent === 'random')"
    assert 0 < count < total
    assert browser.evaluate(told) is True

    narrower, _ = choose(browser, "filter-tier", "0")
    assert 0 < narrower < count
    browser.evaluate("document.querySelector('#filters button').click()")
    browser.evaluate("new Promise(done => setTimeout(done, 50))")
    assert browser.evaluate(f"{PAIRS}.length") == total


def test_search_finds_words_and_ids_whatever_their_case(browser: Browser, plain: Path) -> None:
    browser.open(plain)
    wanted = browser.evaluate("document.querySelector('.pair .id code').textContent")
    count, _ = choose(browser, "search", f"  {wanted.upper()}  TEXT ")
    assert count >= 1
    matches = f"{PAIRS}.every(p => p.textContent.toLowerCase().includes({wanted!r}))"
    assert browser.evaluate(matches) is True
    assert choose(browser, "search", "no such word")[0] == 0
    assert browser.evaluate("document.querySelectorAll('.group:not([hidden])').length") == 0


def test_it_can_be_used_by_keyboard_and_heard(browser: Browser, plain: Path) -> None:
    browser.open(plain)
    levels = browser.evaluate(
        "Array.from(document.querySelectorAll('h1,h2,h3,h4,h5'), e => +e.tagName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    unnamed = (
        "document.querySelectorAll('svg:not([aria-label]), table:not(:has(caption)), "
        "th:not([scope])').length"
    )
    assert browser.evaluate(unnamed) == 0
    assert browser.evaluate(
        "Array.from(document.querySelectorAll('select,input')).every(e => e.closest('label'))"
    )
    focused = []
    for _ in range(12):
        for kind in ("keyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", windowsVirtualKeyCode=9)
        focused.append(browser.evaluate("document.activeElement.tagName"))
    assert focused[:4] == ["A", "A", "A", "A"]
    assert "SUMMARY" in focused

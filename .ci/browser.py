"""What only a browser can tell: whether a report can be read and used, and whether a notebook runs in JupyterLab.

python .ci/browser.py report PAGE.html [--shots FOLDER]        at phone and desktop width, light and dark
python .ci/browser.py notebook NOTEBOOK.ipynb [--shots FOLDER] run it in JupyterLab; its pictures must come back
python .ci/browser.py pages FOLDER                             write two reports to look at: with everything, with the least

Needs Debian's /usr/bin/chromium and /usr/bin/chromedriver, selenium, and for notebooks jupyterlab. Nothing is downloaded; only localhost is opened.
Prints what is wrong, a line each; exit 1 if there is anything. `python .ci/browser.py selftest` looks at a page that is wrong in every way.
"""
import argparse
import base64
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update",
         "disable-sync", "hide-scrollbars", "disable-dev-shm-usage")
SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
CONTRAST = 4.5  # WCAG 2.2, level AA, text of any size

# Words below this contrast against what is behind them; every visible text of the page.
FAINT = """
const parse = c => { const n = c.match(/[\\d.]+/g).map(Number); return n.length > 3 ? n : [...n.slice(0, 3), 1] };
const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 });
  return .2126 * r + .7152 * g + .0722 * b };
const behind = e => { const stack = []; for (; e; e = e.parentElement) stack.push(parse(getComputedStyle(e).backgroundColor));
  return stack.reverse().reduce((below, c) => over(c, below), [255, 255, 255, 1]) };
const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const e = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
  if (!text || !e.checkVisibility({visibilityProperty: true})) continue;
  const ground = behind(e), ink = over(parse(getComputedStyle(e).color), ground);
  const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x), ratio = (a + .05) / (b + .05);
  if (ratio < arguments[0]) found.push(`${ratio.toFixed(2)}: ${text.slice(0, 50)}`);
}
return found"""
PICTURES = """return [...document.images].filter(i => !i.alt.trim() || (i.checkVisibility() && !(i.complete && i.naturalWidth))).map(i => i.alt || i.src.slice(0, 60))"""
STOPS = """const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')].filter(e => e.checkVisibility());
all.forEach((e, i) => e.dataset.stop = i); return all.length"""
FOCUS = """const e = document.activeElement, s = getComputedStyle(e);
return [e.dataset.stop ?? null, s.outlineStyle != 'none' && parseFloat(s.outlineWidth) > 0]"""


@contextmanager
def chromium():
    """A headless Chromium with an empty profile."""
    os.environ.setdefault("SE_AVOID_STATS", "true")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, f"user-data-dir={profile}"):
            options.add_argument(f"--{flag}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        try:
            yield driver
        finally:
            driver.quit()


def look(driver, width: int, height: int, scheme: str) -> None:
    """Set the size of the window and the reader's wish for light or dark."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})


def shoot(driver, shots: Path | None, name: str, whole: bool = False) -> None:
    """A screenshot, of the window or of the whole page."""
    if shots is None:
        return
    shots.mkdir(parents=True, exist_ok=True)
    area = {}
    if whole:
        width, height = driver.execute_script("return [document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        area = {"captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}}
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", area)
    (shots / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


def seen(driver) -> list[str]:
    """What is wrong with what can be seen now."""
    wrong = [f"contrast {line}" for line in driver.execute_script(FAINT, CONTRAST)]
    wrong += [f"picture without words, or broken: {line}" for line in driver.execute_script(PICTURES)]
    inside, window = driver.execute_script("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return wrong + ([f"the page is {inside} pixels wide in a window of {window}"] if inside > window else [])


def by_keyboard(driver) -> list[str]:
    """Everything that can be operated is reached by Tab, and shows that it has the focus."""
    stops, reached, hidden = driver.execute_script(STOPS), set(), set()
    driver.execute_script("document.activeElement.blur(); window.scrollTo(0, 0)")
    for _ in range(stops + 2):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        stop, outlined = driver.execute_script(FOCUS)
        if stop is not None:
            reached.add(int(stop))
            hidden |= set() if outlined else {int(stop)}
    names = driver.execute_script("return [...document.querySelectorAll('[data-stop]')].sort((a, b) => a.dataset.stop - b.dataset.stop).map(e => e.outerHTML.slice(0, 80))")
    return ([f"Tab does not reach: {names[i]}" for i in range(stops) if i not in reached] + [f"focus is not seen on: {names[i]}" for i in sorted(hidden)]
            + ([] if stops else ["nothing on the page can be operated"]))


def cards(driver, shots: Path | None, name: str) -> list[str]:
    """Each image opens its card, by mouse and by keyboard, and the card closes again."""
    wrong, opened = [], lambda: driver.find_elements(By.CSS_SELECTOR, "[popover]:popover-open")
    buttons = driver.find_elements(By.CSS_SELECTOR, ".tiles button")
    for number, button in enumerate(buttons):
        picture = button.find_element(By.TAG_NAME, "img")
        alt = picture.get_attribute("alt")
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        picture.click()
        found = opened()
        if len(found) != 1 or found[0].get_attribute("id") != button.get_attribute("popovertarget"):
            wrong.append(f"a click opens no card: {alt}")
            continue
        text = found[0].text
        if alt.startswith("Synthetic") and not re.search(r"What\s+Value|No record", text):
            wrong.append(f"the card says nothing of where it came from: {alt}")
        if number in (0, len(buttons) // 2):
            wrong += [f"card: {line}" for line in seen(driver)]
            shoot(driver, shots, f"{name}-card{number}")
        ActionChains(driver).send_keys(Keys.ESCAPE).perform()
        if opened():
            wrong.append(f"Escape does not close the card: {alt}")
            driver.execute_script("document.querySelector('[popover]:popover-open').hidePopover()")
    button = buttons[-1]
    driver.execute_script("arguments[0].focus()", button)
    ActionChains(driver).send_keys(Keys.ENTER).perform()
    if not opened() or driver.switch_to.active_element.text != "Close":
        wrong.append("Enter on an image does not open its card with the focus on Close")
    ActionChains(driver).send_keys(Keys.ENTER).perform()
    if opened() or driver.switch_to.active_element != button:
        wrong.append("Enter on Close does not lead back to the image")
    return wrong


def check_report(driver, page: Path, shots: Path | None = None) -> list[str]:
    """What is wrong with a report, at every width, light and dark."""
    wrong = []
    for size, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            name = f"{page.stem}-{size}-{scheme}"
            look(driver, width, height, scheme)
            driver.get(page.resolve().as_uri())
            found = seen(driver)
            shoot(driver, shots, name, whole=True)
            found += by_keyboard(driver) + cards(driver, shots, name)
            loaded = driver.execute_script("return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith('data:'))")
            found += [f"loads {address}" for address in loaded] + [f"console: {line['message']}" for line in driver.get_log("browser")]
            wrong += [f"{page.name}, {size}, {scheme}: {line}" for line in dict.fromkeys(found)]
    return wrong


BAD_PAGE = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>bad</title><style>body { background: #fff; color: #999; width: 2000px } a:focus { outline: none }</style>
<p>grey on white</p><img src="data:image/png;base64,AAAA" alt="no picture"><img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">
<a href="#x">bare</a><button tabindex="-1">never reached</button><div class="tiles"><button><img alt="Synthetic image" width="40" height="40"
src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="></button></div><script>console.error("oh no")</script></html>"""


def selftest(driver) -> list[str]:
    """A check that cannot fail is worth nothing: a page that is wrong in every way must be found wrong."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bad.html").write_text(BAD_PAGE)
        found = "\n".join(check_report(driver, Path(folder) / "bad.html"))
    print(found)
    return [f"not found: {what}" for what in ("contrast 2.85: grey on white", "broken: no picture", "broken: data:image/gif", "pixels wide in a window of 390",
                                             "Tab does not reach: <button tabindex", "focus is not seen on: <a href", "opens no card", "oh no") if what not in found]


def write_pages(folder: Path) -> None:
    """A report with every section it can have, and one with the fewest. (Few steps and invented scores will do for how it looks.)"""
    from cellsynth.core import CellDataset, LabeledImage
    from cellsynth.judge import evaluate
    from cellsynth.phantom import Phantom
    from cellsynth.report import write_report

    real, made, held_out = (CellDataset.from_samples(Phantom.simulate("nuclei", 14, seed, height=160, width=160, cells=12)) for seed in (1, 2, 3))
    figures: dict = {}
    judged = evaluate(real, made, held_out, extractor=lambda batch: batch.mean((2, 3)), subsamples=10, splits=10, steps=10, figures=figures)
    rows = [{"arm": arm, "k": 4, "ratio": 0.0, "model": "unet", "seed": i, "subset": i, "metric": metric, "value": 0.7 + i / 100}
            for arm in ("real + augmentation", "real + phantom") for i in range(3) for metric in ("dsb", "f1")]
    model = {"method": "phantom", "config": {"kind": "nuclei", "cells": 12}, "sha256": "9f2c" * 16, "meta": {"fitted_on": {"images": 14, "path": "data/train"}}}
    write_report(folder / "everything.html", real, made, "Nuclei", model, held_out, "Phantom images.", ["cellsynth demo demo"], judged, figures, {"rows": rows})
    bare = CellDataset.from_samples(LabeledImage(s.image, s.labels, s.name) for s in Phantom.simulate("volumes", 2, 1, height=64, width=64, cells=4))
    write_report(folder / "least.html", bare, bare)


# --- notebooks

SETTINGS = {  # of JupyterLab: all cells are in the page at once; no question about news
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
}
READY = "const w = window.jupyterapp?.shell.currentWidget; return !!(w?.context?.isReady && w.context.sessionContext?.session?.kernel?.status === 'idle')"
RUN = """window.ended = null;
jupyterapp.commands.execute('notebook:run-all-cells').then(() => { window.ended = 'ran' }, error => { window.ended = String(error) })"""
OUTPUTS = """return [...jupyterapp.shell.currentWidget.content.model.cells].filter(c => c.type === 'code')
.map(c => ({source: c.sharedModel.source, count: c.executionCount, outputs: c.outputs.toJSON()}))"""
BROKEN = """return [...document.querySelectorAll('.jp-OutputArea img')].map(i => [i.alt || i.src.slice(0, 40), i.complete && i.naturalWidth > 0])"""
FLAGGED = re.compile(r"^#\|\s*(slow|cuda|eval:\s*false)\b", re.M)


def pictures(outputs: list[dict]) -> int:
    """How many of a cell's outputs show a picture."""
    data = [o.get("data", {}) for o in outputs]
    return sum("image/png" in d or "image/svg+xml" in d or "<img" in "".join(d.get("text/html", "")) for d in data)


def without_outputs(notebook: Path, copy: Path) -> list[int]:
    """Copy a notebook without outputs and without flagged cells; how many pictures each code cell must show again (none where another was left out)."""
    text = json.loads(notebook.read_text(encoding="utf-8"))
    whole = len(text["cells"])
    text["cells"] = [c for c in text["cells"] if c["cell_type"] != "code" or not FLAGGED.search("".join(c["source"]))]
    code = [c for c in text["cells"] if c["cell_type"] == "code"]
    had = [pictures(c["outputs"]) if len(text["cells"]) == whole else 0 for c in code]
    for cell in code:
        cell["outputs"], cell["execution_count"] = [], None
    copy.write_text(json.dumps(text), encoding="utf-8")
    return had


@contextmanager
def jupyter(folder: Path):
    """JupyterLab on localhost for a folder; gives the address of the folder's start and the token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, home = secrets.token_hex(16), folder.parent / "jupyter"
    for name, wish in SETTINGS.items():
        (home / "settings" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "settings" / name).write_text(json.dumps(wish))
    places = {"JUPYTERLAB_SETTINGS_DIR": home / "settings", "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces", "JUPYTER_CONFIG_DIR": home / "config",
              "JUPYTER_RUNTIME_DIR": home / "runtime", "IPYTHONDIR": home / "ipython"}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", f"--ServerApp.root_dir={folder}",
               f"--IdentityProvider.token={token}", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=", "--ServerApp.port_retries=0"]
    with open(folder.parent / "jupyter.log", "w+") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **{k: str(v) for k, v in places.items()}})
        try:
            until = time.monotonic() + 120
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status?token={token}", timeout=5).close()
                    break
                except (urllib.error.URLError, OSError):
                    if server.poll() is not None or time.monotonic() > until:
                        log.seek(0)
                        raise SystemExit(f"JupyterLab does not start:\n{log.read()[-3000:]}")
                    time.sleep(0.5)
            yield f"http://127.0.0.1:{port}", token
        finally:
            server.terminate()
            server.wait(30)


def wait(driver, script: str, seconds: float, what: str):
    """Wait until a script gives something."""
    until = time.monotonic() + seconds
    while not (found := driver.execute_script(script)):
        if time.monotonic() > until:
            raise SystemExit(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.5)
    return found


def check_notebook(driver, notebook: Path, shots: Path | None = None, seconds: float = 600) -> list[str]:
    """Run a notebook in JupyterLab and say what is wrong: errors, cells that did not run, pictures that are missing or broken."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place) / "work"
        folder.mkdir()
        had = without_outputs(notebook, folder / notebook.name)
        with jupyter(folder) as (address, token):
            look(driver, *SIZES["desktop"], "light")
            driver.get(f"{address}/lab/tree/{notebook.name}?token={token}")
            wait(driver, READY, 120, "the notebook to open")
            started = time.monotonic()
            driver.execute_script(RUN)
            ended = wait(driver, "return window.ended", seconds, "the cells to run")
            wait(driver, READY, 60, "the kernel to rest")
            time.sleep(1)
            cells, images = driver.execute_script(OUTPUTS), driver.execute_script(BROKEN)
            driver.execute_script("window.jupyterapp.shell.collapseLeft()")
            for size in SIZES:
                look(driver, *SIZES[size], "light")
                for place, number in (("first", 0), ("last", -1)):
                    driver.execute_script("[...document.querySelectorAll('.jp-OutputArea img')].at(arguments[0])?.scrollIntoView({block: 'center'})", number)
                    time.sleep(1)
                    shoot(driver, shots, f"{notebook.stem}-{size}-{place}")
    wrong = [] if ended == "ran" else [f"running ended with {ended}"]
    for cell, stored in zip(cells, had):
        head = cell["source"].strip().split("\n")[0][:60]
        wrong += [f"error in {head!r}: {o['ename']}: {o['evalue'][:200]}" for o in cell["outputs"] if o["output_type"] == "error"]
        wrong += [f"did not run: {head!r}"] if cell["source"].strip() and not cell["count"] else []
        has = pictures(cell["outputs"])
        wrong += [f"{has} pictures of {stored} in {head!r}: {[o['output_type'] for o in cell['outputs']]}"] if has < stored else []
    has = sum(pictures(c["outputs"]) for c in cells)
    wrong += [] if has else ["shows no picture"]
    wrong += [f"a picture is broken: {name}" for name, whole in images if not whole] + ([] if len(images) >= has else [f"{len(images)} of {has} pictures are on the page"])
    print(f"{notebook.name}: {len(cells)} cells, {has} pictures, {time.monotonic() - started:.0f} s")
    return [f"{notebook.name}: {line}" for line in wrong]


def main() -> int:
    parser = argparse.ArgumentParser(description="Look at a report or run a notebook in headless Chromium.")
    parser.add_argument("what", choices=["report", "notebook", "pages", "selftest"])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--shots", type=Path, help="folder for screenshots")
    asked = parser.parse_args()
    if asked.what == "pages":
        write_pages(*asked.files)
        return 0
    check = check_report if asked.what == "report" else check_notebook
    with chromium() as driver:
        wrong = selftest(driver) if asked.what == "selftest" else [line for file in asked.files for line in check(driver, file, asked.shots)]
    print("\n".join(wrong) or "nothing wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""What can be known of the site without Quarto.

python .ci/check_site.py             build the pages as nbdev gives them to Quarto, in a copy, and check them; exit 1 if anything is wrong
python .ci/check_site.py --quick     the same without building
python .ci/check_site.py --figures   write the numbers of the benchmarks into nbs/index.ipynb again (then run .ci/readme.py)

Checked: `nbdev_proc_nbs` succeeds and gives a page for each notebook, with a title and a description; every public name of every module is documented on a page;
every link to a heading leads to one, and every link in the Markdown files and in HTML to a file; every number of the first page that is marked as coming from a
benchmark is the benchmark's. (`nbs/90_house_rules.ipynb` checks the sidebar and the other links.)

A marked number stands between two comments, which no reader sees:  <!-- figure: paste_speed results/seconds/cellsynth .2f -->0.12<!-- end -->
with the file in nbs/benchmarks/results, the keys on the way to the number (`rows/3` is the fourth row), and its format.
"""
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
NBS = ROOT / "nbs"
RESULTS = NBS / "benchmarks" / "results"
FIGURE = re.compile(r"<!-- figure: (\S+) (.+?) (\S+) -->(.*?)<!-- end -->")
MARKDOWN_FILES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "RELEASING.md")


def source(cell: dict) -> str:
    """The text of a cell."""
    return "".join(cell["source"])


def notebooks(folder: Path) -> dict[str, list[dict]]:
    """Path below the folder -> cells; hidden and underscored folders are no part of the book."""
    files = [f for f in sorted(folder.rglob("*.ipynb")) if not any(p[0] in "._" for p in f.relative_to(folder).parts)]
    return {f.relative_to(folder).as_posix(): json.loads(f.read_text(encoding="utf-8"))["cells"] for f in files}


# --- the pages

def build(place: Path) -> tuple[dict[str, list[dict]], list[str]]:
    """The pages that nbdev gives to Quarto, made in a copy of the tree, and what went wrong."""
    copy = place / "tree"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv*", "__pycache__", "_proc", "_docs", ".hypothesis", "*.egg-info"))
    environment = {k: v for k, v in os.environ.items() if k not in ("CELLSYNTH_DATA", "CELLSYNTH_WEIGHTS")}
    command = "import sys; from nbdev.serve import proc_nbs; proc_nbs(n_workers=2)"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", command], cwd=copy, env=environment, capture_output=True, text=True)
    if done.returncode:
        return {}, [f"nbdev_proc_nbs fails: {done.stderr.strip()[-1500:]}"]
    pages = notebooks_of_pages(copy / "_proc")
    return pages, [f"nbs/{name}: has no page" for name in notebooks(NBS) if name not in pages]


def notebooks_of_pages(folder: Path) -> dict[str, list[dict]]:
    """As `notebooks`, for the folder of pages."""
    return {f.relative_to(folder).as_posix(): json.loads(f.read_text(encoding="utf-8"))["cells"] for f in sorted(folder.rglob("*.ipynb"))}


def front_matter(pages: dict[str, list[dict]]) -> list[str]:
    """Each page begins with YAML that names it and says what it is."""
    wrong = []
    for name, cells in pages.items():
        first = source(cells[0]) if cells else ""
        found = re.match(r"---\n(.*?)\n---", first, re.S)
        try:
            meta = yaml.safe_load(found[1]) if found else {}
        except yaml.YAMLError as error:
            wrong.append(f"nbs/{name}: front matter is no YAML: {error}")
            continue
        wrong += [f"nbs/{name}: has no {key}; begin with '# Title' and '> what it is'" for key in ("title", "description") if not (meta or {}).get(key)]
    return wrong


def exported(file: Path) -> list[str]:
    """`__all__` of a module, read as text; without what are no functions or classes."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = next((ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in n.targets)), [])
    return [n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name in names]


def documented(pages: dict[str, list[dict]], book: dict[str, list[dict]]) -> list[str]:
    """Every public function and class stands on the page of its chapter under a heading of its own."""
    wrong = []
    for name, cells in book.items():
        module = re.search(r"^#\|\s*default_exp\s+(\S+)", "\n".join(source(c) for c in cells), re.M)
        if module:
            texts = ["".join(o.get("data", {}).get("text/markdown", "")) for c in pages.get(name, []) for o in c.get("outputs", [])]
            shown = {head for text in texts if "[source](" in text for head in re.findall(r"^#+ (\w+)", text, re.M)}
            wrong += [f"nbs/{name}: {public} is documented on no page (nbdev_export writes the index that pages are made by)" for public in exported(ROOT / "cellsynth" / f"{module[1].replace('.', '/')}.py") if public not in shown]
    return wrong


# --- links

def slug(heading: str) -> str:
    """The address that Quarto gives to a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"\{[^}]*\}\s*$", "", heading)).replace("`", "").replace("*", "")
    text = re.sub(r"[^\w\s.-]", "", text).strip().lower()
    return re.sub(r"^[^a-z]+", "", re.sub(r"\s+", "-", text)) or "section"


def prose(cells: list[dict]) -> str:
    """The Markdown of a notebook without code."""
    text = "\n".join(source(c) for c in cells if c["cell_type"] == "markdown")
    return re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.S))


def addresses(cells: list[dict]) -> set[str]:
    """The addresses of all headings of a notebook, and of what it defines."""
    heads = re.findall(r"^#+ +(.+)$", re.sub(r"```.*?```", "", "\n".join(source(c) for c in cells if c["cell_type"] == "markdown"), flags=re.S), re.M)
    defined = re.findall(r"^(?:def|class) (\w+)", "\n".join(source(c) for c in cells if "#| export" in source(c)), re.M)
    return {slug(h) for h in heads} | {d.lower() for d in defined}


def anchors(book: dict[str, list[dict]]) -> list[str]:
    """Links to a heading lead to one."""
    wrong, known = [], {name: addresses(cells) for name, cells in book.items()}
    for name, cells in book.items():
        for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", prose(cells)):
            if re.match(r"[a-z]+:", target):
                continue
            there = os.path.normpath(os.path.join(os.path.dirname(name), target)) if target else name
            if there in known and anchor not in known[there]:
                near = slug(anchor.replace("-", " "))
                wrong.append(f"nbs/{name}: links to {target}#{anchor}, " + (f"which is #{near} on the site" if near in known[there] else "where no such heading is"))
    return wrong


def files_of(book: dict[str, list[dict]]) -> list[str]:
    """Links of the Markdown files, and HTML in the prose of notebooks, lead to files."""
    texts = {ROOT / "nbs" / name: " ".join(re.findall(r"<[^>]+>", prose(cells))) for name, cells in book.items()}
    texts |= {ROOT / name: (ROOT / name).read_text(encoding="utf-8") for name in MARKDOWN_FILES if (ROOT / name).is_file()}
    wrong = []
    for file, text in texts.items():
        targets = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.S))) if file.suffix == ".md" else []
        targets += re.findall(r"""(?:src|href)=["']([^"']+)["']""", text)
        wrong += [f"{file.relative_to(ROOT)}: links to {t}, which is not there" for t in targets
                  if not re.match(r"[a-z]+:|#", t) and not (file.parent / t.split("#")[0]).exists()]
    return wrong


# --- numbers

def number(file: str, way: str) -> float:
    """A number of a benchmark: keys or row numbers, with `/` between them."""
    found = json.loads((RESULTS / f"{file}.json").read_text(encoding="utf-8"))
    for key in way.split("/"):
        found = found[int(key)] if isinstance(found, list) else found[key]
    return found


def figures(text: str) -> tuple[str, list[str]]:
    """The text with each marked number as the benchmark has it, and what differed."""
    wrong = []

    def replace(found: re.Match) -> str:
        file, way, form, stands = found.groups()
        try:
            right = format(number(file, way), form)
        except (OSError, KeyError, IndexError, ValueError, TypeError) as error:
            wrong.append(f"figure {file} {way} {form}: {type(error).__name__}: {error}")
            return found[0]
        if stands != right:
            wrong.append(f"figure {file} {way}: {stands!r} stands there, the benchmark says {right!r}")
        return f"<!-- figure: {file} {way} {form} -->{right}<!-- end -->"

    return FIGURE.sub(replace, text), wrong


def check_figures(cells: list[dict]) -> list[str]:
    """Marked numbers of the first page are the benchmarks', and in its section of results every number is marked."""
    wrong = [f"nbs/index.ipynb: {what}" for c in cells for what in figures(source(c))[1]]
    text = "\n".join(source(c) for c in cells if c["cell_type"] == "markdown")
    for section in re.findall(r"^## (?:Measured|Results)[^\n]*\n(.*?)(?=^## |\Z)", text, re.M | re.S):
        bare = re.sub(r"`[^`\n]*`|\]\([^)]*\)|<!--.*?-->", "", FIGURE.sub("", section))
        wrong += [f"nbs/index.ipynb: {n} among the results is not marked as coming from a benchmark" for n in re.findall(r"(?<![\w.])\d+\.\d+", bare)]
    return wrong


def write_figures() -> None:
    """Put the benchmarks' numbers into the first page."""
    file = NBS / "index.ipynb"
    notebook = json.loads(file.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        text, wrong = figures(source(cell))
        print("\n".join(wrong), end="\n" if wrong else "")
        cell["source"] = text.splitlines(True)
    file.write_text(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def selftest() -> None:
    """The checks find what is wrong."""
    cell = [{"cell_type": "markdown", "source": "# A title, in 2 parts\n\n[a](#a-title-in-2-parts) [b](#gone) [c](#A-title,-in-2-parts)"}]
    assert len(anchors({"a.ipynb": cell})) == 2 and "#a-title-in-2-parts on the site" in anchors({"a.ipynb": cell})[1]
    assert len(front_matter({"a.ipynb": [{"source": "---\ntitle: A\n---"}], "b.ipynb": [{"source": "---\ndescription: b\ntitle: B\n---"}]})) == 1
    assert len(documented({}, notebooks(NBS))) > 100
    some = next(f for f in sorted(RESULTS.glob("*.json")) if "versions" in json.loads(f.read_text()))
    assert "KeyError" in figures(f"<!-- figure: {some.stem} no/such .2f -->1<!-- end -->")[1][0]
    assert figures(f"<!-- figure: {some.stem} versions/cellsynth s -->9.9.9<!-- end -->")[1]
    assert check_figures([{"cell_type": "markdown", "source": "## Measured\n\n3.14 and `2.7` and [x](a1.2)\n\n## Limits\n\n1.5"}]) == [
        "nbs/index.ipynb: 3.14 among the results is not marked as coming from a benchmark"]


def main() -> int:
    if "--figures" in sys.argv[1:]:
        write_figures()
        return 0
    selftest()
    book = notebooks(NBS)
    wrong = anchors(book) + files_of(book) + check_figures(book["index.ipynb"])
    if "--quick" not in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as place:
            pages, failed = build(Path(place))
        wrong += failed + front_matter(pages) + (documented(pages, book) if pages else [])
        print(f"{len(pages)} pages")
    print("\n".join(wrong) or "the site is whole")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""README.md is nbs/index.ipynb as plain Markdown.

python .ci/readme.py           write README.md
python .ci/readme.py --check   say whether README.md is what would be written; exit 1 if not

Quarto would do the same, but it does not come with pip; this needs the standard library alone.
"""
import json
import posixpath
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTICE = "<!-- Written from nbs/index.ipynb by `python .ci/readme.py`; edit the notebook. -->\n\n"


def from_root(target: str) -> str:
    """A link as seen from the root of the repository instead of from nbs/."""
    if re.match(r"[a-z]+:|#|/", target):
        return target
    return posixpath.normpath(posixpath.join("nbs", target))


def markdown(source: str) -> str:
    """Prose without what only Quarto understands, its links seen from the root."""
    lines, fenced = [], False
    for line in source.split("\n"):
        fenced ^= line.startswith("```")
        if not fenced:
            if line.startswith(":::"):
                continue
            line = re.sub(r"\]\(([^)\s]+)\)(\{[^}]*\})?", lambda m: f"]({from_root(m[1])})", line)
        lines.append(line)
    return "\n".join(lines).strip("\n")


def code(cell: dict) -> str:
    """A code cell and the text that it printed; nothing for a hidden one."""
    source = "".join(cell["source"])
    if re.search(r"^#\|\s*(hide|exec_doc|default_exp)\b", source, re.M):
        return ""
    shown = re.sub(r"^#\|.*\n?", "", source, flags=re.M).strip()
    parts = [] if not shown or re.search(r"^#\|\s*echo:\s*false", source, re.M) else [f"```python\n{shown}\n```"]
    for output in cell["outputs"]:
        text = output.get("text") or output.get("data", {}).get("text/plain") or []
        if text and output.get("name") != "stderr":
            parts.append("```text\n" + "".join(text).rstrip() + "\n```")
    return "\n\n".join(parts)


def readme(notebook: dict) -> str:
    """The whole README."""
    parts = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            parts.append(markdown("".join(cell["source"])))
        elif cell["cell_type"] == "code":
            parts.append(code(cell))
    return NOTICE + "\n\n".join(part for part in parts if part) + "\n"


def main() -> int:
    written = readme(json.loads((ROOT / "nbs/index.ipynb").read_text(encoding="utf-8")))
    place = ROOT / "README.md"
    if "--check" in sys.argv[1:]:
        same = place.is_file() and place.read_text(encoding="utf-8") == written
        print("README.md is in step with nbs/index.ipynb" if same else "README.md differs from nbs/index.ipynb; run: python .ci/readme.py")
        return 0 if same else 1
    place.write_text(written, encoding="utf-8")
    print(f"{place}: {len(written.splitlines())} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())

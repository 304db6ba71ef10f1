"""Packaging: everything but the entry points is read from settings.ini."""
import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
config = ConfigParser(delimiters=["="])
config.read(here / "settings.ini", encoding="utf-8")
cfg = config["DEFAULT"]
url = cfg["git_url"]
docs = cfg["doc_host"] + cfg["doc_baseurl"]


def absolute(text: str) -> str:
    """Markdown whose relative links and pictures lead to the repository: the package index shows README.md without what lies beside it."""
    def full(found: re.Match) -> str:
        return f"{found[1]}{url}/{'raw' if found[1].startswith('!') else 'blob'}/{cfg['branch']}/{found[2]}"

    return re.sub(r"(!?\[[^\[\]]*\]\()(?![a-z]+:|#|/)([^)\s]+)", full, text)



setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    long_description=absolute((here / "README.md").read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
    keywords=cfg["keywords"],
    author=cfg["author"],
    author_email=cfg["author_email"],
    license="Apache-2.0",
    license_files=["LICENSE"],
    url=url,
    project_urls={"Documentation": docs, "Source": url, "Changelog": f"{url}/blob/main/CHANGELOG.md"},
    packages=find_packages(include=["cellsynth", "cellsynth.*"]),
    include_package_data=True,
    python_requires=">=" + cfg["min_python"],
    install_requires=cfg["requirements"].split(),
    extras_require={"widgets": cfg["widgets_requirements"].split(), "dev": cfg["dev_requirements"].split()},
    entry_points={
        "console_scripts": ["cellsynth=cellsynth.cli:main"],
        "cellsynth.generators": [
            "phantom=cellsynth.phantom:Phantom",
            "iaaa=cellsynth.generators.iaaa:IAAA",
            "saaa=cellsynth.generators.saaa:SAAA",
            "adhesion=cellsynth.generators.adhesion:AdhesionGAN",
            "coarse-to-fine=cellsynth.generators.coarse_to_fine:CoarseToFineGAN",
            "flow=cellsynth.generators.flow:FlowGAN",
        ],
        "nbdev": ["cellsynth=cellsynth._modidx:d"],
    },
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Science/Research",
        "Intended Audience :: Developers",
        "Natural Language :: English",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Image Processing",
        "Typing :: Typed",
    ],
    zip_safe=False,
)

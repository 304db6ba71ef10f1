"""cellsynth: a few annotated microscopy images in, a large labelled training set out, and a measure of whether it helps."""
__version__ = "0.1.0"

import importlib
import os
import sys

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # torch's idle threads sleep instead of spinning; read when torch is loaded

_PUBLIC = {  # name -> module; loaded when first used, so that `import cellsynth` stays quick
    "LabeledImage": "core", "CellDataset": "core", "Generator": "models", "CellsynthError": "core", "load_generator": "models",
    "read_dataset": "data", "check_dataset": "data", "write_dataset": "data", "generate_dataset": "run",
    "show_samples": "show", "Phantom": "phantom", "IAAA": "generators.iaaa",
    "SAAA": "generators.saaa", "AdhesionGAN": "generators.adhesion",
    "CoarseToFineGAN": "generators.coarse_to_fine", "FlowGAN": "generators.flow", "evaluate": "judge", "prove": "proof.experiment",
}
__all__ = list(_PUBLIC)


def __getattr__(name: str):
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"cellsynth.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module 'cellsynth' has no attribute {name!r}")


def __dir__():
    return sorted(set(globals()) | set(__all__))


def _show_in(formatter) -> None:
    """Tell a notebook's display formatter to show samples, datasets and models as `cellsynth.browse` draws them; that is loaded when the first is shown."""
    for module, name in (("core", "LabeledImage"), ("core", "CellDataset"), ("models", "SavedModel")):
        formatter.formatters["text/html"].for_type_by_name(
            f"cellsynth.{module}", name, lambda thing: importlib.import_module("cellsynth.browse").as_html(thing))


_shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
if _shell is not None and _shell.display_formatter is not None:
    _show_in(_shell.display_formatter)

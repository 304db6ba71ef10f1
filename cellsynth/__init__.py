"""cellsynth: a few annotated microscopy images in, a large labelled training set out, and a measure of whether it helps."""
__version__ = "0.1.0"

import importlib
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # torch's idle threads sleep instead of spinning; read when torch is loaded

_PUBLIC = {  # name -> module; loaded when first used, so that `import cellsynth` stays quick
    "LabeledImage": "core", "CellDataset": "core", "Generator": "models", "CellsynthError": "core", "load_generator": "models",
    "read_dataset": "data", "check_dataset": "data", "write_dataset": "data", "generate_dataset": "run",
    "show_samples": "show", "Phantom": "phantom", "IAAA": "generators.iaaa",
    "SAAA": "generators.saaa", "AdhesionGAN": "generators.adhesion", "evaluate": "judge", "prove": "proof.experiment",
}
__all__ = list(_PUBLIC)


def __getattr__(name: str):
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"cellsynth.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module 'cellsynth' has no attribute {name!r}")


def __dir__():
    return sorted(set(globals()) | set(__all__))

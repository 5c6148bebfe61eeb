"""A model as a folder for somebody else's program: graph, manifest, windows to try it on, and an example."""

from dataclasses import dataclass
from pathlib import Path

from make_us_rich.errors import UsageError
from make_us_rich.market.files import disk_errors_named, write_atomically
from make_us_rich.registry.artifact import GOLDEN_FILE, MANIFEST_FILE, MODEL_FILE, AnyArtifact

README_FILE = "README.md"
EXAMPLE_FILE = "predict.py"


@dataclass(frozen=True, slots=True)
class BundleTexts:
    """What a kind adds to a bundle: what somebody who gets it has to know, and a program that runs it."""

    readme: str
    example: str


def export_bundle(artifact: AnyArtifact, texts: BundleTexts, folder: Path) -> tuple[Path, ...]:
    """Write the files of a bundle and return them; a folder that holds something is a `UsageError`."""
    contents = {
        MODEL_FILE: (artifact.folder / MODEL_FILE).read_bytes(),
        GOLDEN_FILE: (artifact.folder / GOLDEN_FILE).read_bytes(),
        EXAMPLE_FILE: texts.example.encode(),
        README_FILE: texts.readme.encode(),
        MANIFEST_FILE: (artifact.folder / MANIFEST_FILE).read_bytes(),  # last: with it the bundle is whole
    }
    with disk_errors_named(folder):
        _require_empty(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_atomically(folder / name, content)
    return tuple(folder / name for name in contents)


def _require_empty(folder: Path) -> None:
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; name one that does not exist yet")
    if any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; name a folder that does not exist yet, or empty this one")

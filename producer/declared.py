"""Which roots are declared: those of the settings, which are fixed for the life of the process, and those of the roots
folder, which may be added, changed and removed at any time. A faulty file in the folder is reported with its name, and
disturbs no other root."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from pydantic import ValidationError

from producer.real_paths import RealPaths
from producer.settings import ProducerSettings, RootSpec
from runtime.root_files import DEFAULT_FOLDER, RootFile, RootFiles


@dataclass(frozen=True, slots=True)
class Declared:
    """The roots by name; `faults`: what is wrong with others, one line for each, with the file's name."""

    specs: Mapping[str, RootSpec]
    faults: tuple[str, ...] = ()


class Declarations:
    """What is declared to this producer. Used by one thread at a time. `real_paths`: resolves the roots' paths."""

    def __init__(self, settings: ProducerSettings, state_dir: Path, real_paths: RealPaths) -> None:
        self._fixed = settings.roots
        self._real_paths = real_paths
        self.files = RootFiles(folder_of(settings, state_dir))

    def read(self) -> Declared:
        """The declarations now. Reads files, and may block; resolving a root's path is limited to a moment."""
        try:
            files = self.files.read()
        except OSError as error:
            return Declared({spec.name: spec for spec in self._fixed}, (f"{self.files.folder}: {error.strerror}",))
        return declared(self._fixed, files, self._real_paths)


def folder_of(settings: ProducerSettings, state_dir: Path) -> Path:
    """The roots folder."""
    return settings.roots_folder or state_dir / DEFAULT_FOLDER


def declared(
    fixed: Iterable[RootSpec], files: Mapping[str, RootFile], real_paths: RealPaths | None = None
) -> Declared:
    """The declarations in what was read. The first declaration of a name wins: the settings, then the files by name."""
    specs = {spec.name: spec for spec in fixed}
    read = {name: _spec(name, file) for name, file in files.items() if name not in specs}
    every = [spec for spec in (*specs.values(), *read.values()) if isinstance(spec, RootSpec)]
    resolved = resolved_paths(every, real_paths or RealPaths())
    faults = [
        f"the settings: root {one.name} ({resolved[one.name]}) and root {other.name} lie one inside the other"
        for one, other in combinations(specs.values(), 2)
        if _nested(resolved[one.name], resolved[other.name])
    ]
    for name, file in files.items():
        spec = read.get(name)
        if spec is None:
            faults.append(
                f"{file.path}: root {name} is in the settings too: take it out there, or remove this file"
            )
        elif isinstance(spec, str):
            faults.append(f"{file.path}: {spec}")
        elif (
            other := next((o for o in specs.values() if _nested(resolved[spec.name], resolved[o.name])), None)
        ) is not None:
            faults.append(
                f"{file.path}: {spec.location} and root {other.name} ({resolved[other.name]}) lie one inside the other"
            )
        else:
            specs[name] = spec
    return Declared(specs, tuple(faults))


def resolved_paths(specs: Iterable[RootSpec], real_paths: RealPaths) -> dict[str, Path]:
    """The resolved path of each root by its name: on this machine with links followed; on a share as configured, in lower
    case, because servers do not distinguish upper and lower case."""
    every = list(specs)
    local = real_paths.of(spec.path for spec in every if spec.protocol == "local")
    return {
        spec.name: local[spec.path] if spec.protocol == "local" else Path(spec.location.casefold())
        for spec in every
    }


def _nested(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _spec(name: str, file: RootFile) -> RootSpec | str:
    """The root, or what is wrong with its file."""
    if file.table is None:
        return file.fault
    if file.table.get("name", name) != name:
        return f"name: is {file.table['name']!r}, and the file is named after root {name!r}"
    try:
        return RootSpec.model_validate({**file.table, "name": name})
    except ValidationError as error:
        faults = error.errors(include_url=False)
        return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'root'}: {fault['msg']}" for fault in faults)

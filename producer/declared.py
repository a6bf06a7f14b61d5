"""Which roots are declared: those of the settings, which are for the life of the process, and those of the roots folder,
which may come, change and leave at any time. What is wrong with a file of the folder is said of that file, and disturbs no
other root."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from pydantic import ValidationError

from producer.places import Places
from producer.settings import ProducerSettings, RootSpec
from runtime.root_files import DEFAULT_FOLDER, RootFile, RootFiles


@dataclass(frozen=True, slots=True)
class Declared:
    """The roots by name; `faults`: what is wrong with others, a line each that names the file."""

    specs: Mapping[str, RootSpec]
    faults: tuple[str, ...] = ()


class Declarations:
    """What is declared to this producer. Used by one thread at a time. `places`: where the roots lie."""

    def __init__(self, settings: ProducerSettings, state_dir: Path, places: Places) -> None:
        self._fixed = settings.roots
        self._places = places
        self.files = RootFiles(folder_of(settings, state_dir))

    def read(self) -> Declared:
        """As it is now. Looks at files, and may block; for the place of a root it waits a moment only."""
        try:
            files = self.files.read()
        except OSError as error:
            return Declared({spec.name: spec for spec in self._fixed}, (f"{self.files.folder}: {error.strerror}",))
        return declared(self._fixed, files, self._places)


def folder_of(settings: ProducerSettings, state_dir: Path) -> Path:
    """The roots folder."""
    return settings.roots_folder or state_dir / DEFAULT_FOLDER


def declared(fixed: Iterable[RootSpec], files: Mapping[str, RootFile], places: Places | None = None) -> Declared:
    """The same from what was read. What is declared first is right: the settings, then the files by name."""
    specs = {spec.name: spec for spec in fixed}
    read = {name: _spec(name, file) for name, file in files.items() if name not in specs}
    every = [spec for spec in (*specs.values(), *read.values()) if isinstance(spec, RootSpec)]
    lies = where_they_lie(every, places or Places())
    faults = [
        f"the settings: root {one.name} ({lies[one.name]}) and root {other.name} lie one inside the other"
        for one, other in combinations(specs.values(), 2)
        if _nested(lies[one.name], lies[other.name])
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
            other := next((o for o in specs.values() if _nested(lies[spec.name], lies[o.name])), None)
        ) is not None:
            faults.append(
                f"{file.path}: {spec.location} and root {other.name} ({lies[other.name]}) lie one inside the other"
            )
        else:
            specs[name] = spec
    return Declared(specs, tuple(faults))


def where_they_lie(specs: Iterable[RootSpec], places: Places) -> dict[str, Path]:
    """The place of each root by its name: links followed on this machine; on a share as it is written, but for upper and
    lower case, which servers do not tell apart."""
    every = list(specs)
    local = places.of(spec.path for spec in every if spec.protocol == "local")
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

"""The part of a backup that is functions: their files into the archive, and out of it again.

Its steps stand in ``taking`` and ``recovering``, its rounds in ``watch`` and ``retention``. The files of storage buckets
will be another part, beside this one.
"""

import logging
from datetime import datetime

from baseplane.database import Connection
from baseplane.drivers.archive import ArchiveUnavailable, BackupDamaged
from baseplane.drivers.artifacts import ArtifactMissing, StoreUnavailable
from baseplane.errors import BaseplaneError
from baseplane.resources.functions import artifacts, history
from baseplane.resources.functions.artifacts import ArtifactDamaged
from baseplane.resources.functions.history import Served
from baseplane.resources.functions.workflows import apply
from baseplane.runtime import Runtime
from baseplane.workflows import Wait, queue

log = logging.getLogger(__name__)

KIND = "functions"
"""Of their files in the archive."""
ALONE = 0x6172_6675
"""Advisory lock: what is taken to the archive for a new row is not deleted there for the last of the old ones."""
WAYS_OUT = (
    "Deploy the same files again, as whatever function, or have the operator give them up"
    " (baseplane backups --give-up {ref} {slug})."
)


class FilesLost(BaseplaneError):
    """The files of a function are nowhere any more, as far as we can see; the message names it."""


async def carry(rt: Runtime) -> list[str] | None:
    """Take to the archive what served and is not there yet; gives why not all is, or None when another does it.

    One file that cannot be had keeps no other from being taken; an archive that takes nothing does.
    """
    async with rt.database.alone(ALONE) as is_alone:
        if not is_alone:
            return None
        async with rt.database.connection() as db:
            await history.record_known(db)
            waiting = await history.waiting(db)
        errors = []
        for version in waiting:
            try:
                await _take(rt, version)
            except (ArtifactMissing, StoreUnavailable, ArchiveUnavailable) as error:
                errors.append(f"{version.slug} of project {version.project_ref}: {error.message}")
                async with rt.database.connection() as db:
                    await history.record_error(db, version, error.message)
                if isinstance(error, ArchiveUnavailable):
                    break
    return errors


async def _take(rt: Runtime, version: Served) -> None:
    await rt.archive.files.put(version.project_ref, KIND, await artifacts.read_packed(rt.artifacts, version))
    async with rt.database.connection() as db:
        is_needed = await history.record_archived(db, version)
    if not is_needed:  # its project was deleted meanwhile
        await rt.archive.files.delete(version.project_ref, KIND, [version.digest])


async def keep(rt: Runtime, ref: str, moment: datetime) -> Wait | None:
    """Have in the archive what served at this moment. Raises Unavailable, which says why not."""
    if await carry(rt) is None:
        return Wait(seconds=0.5)
    async with rt.database.connection() as db:
        lacking = await history.lacking(db, ref, moment)
    for slug, number, error in lacking:
        raise ArchiveUnavailable(f"The files of the function {slug}, version {number}, are not in the archive: {error}")
    return None


async def fetch(rt: Runtime, ref: str, moment: datetime) -> None:
    """Have what served at this moment where functions are served from, out of the archive if need be.

    Raises FilesLost, Unavailable.
    """
    async with rt.database.connection() as db:
        served = await history.at(db, ref, moment)
    for version in {each.digest: each for each in served}.values():
        try:
            await artifacts.read_packed(rt.artifacts, version)
        except (ArtifactMissing, ArtifactDamaged) as error:
            log.warning("function %s of project %s comes from the archive: %s", version.slug, ref, error)
            await rt.artifacts.put(version.artifact, await _from_archive(rt, version, error))


async def _from_archive(rt: Runtime, version: Served, why: BaseplaneError) -> bytes:
    try:
        return await rt.archive.files.get(version.project_ref, KIND, version.digest)
    except BackupDamaged as error:
        raise FilesLost(
            f"The files of the function {version.slug}, version {version.version}, are lost: {why.message} {error.message}"
            f" {WAYS_OUT.format(ref=version.project_ref, slug=version.slug)}"
        ) from error


async def check(rt: Runtime, ref: str, moment: datetime) -> None:
    """That the archive gives back what served then. Raises BackupDamaged, ArchiveUnavailable.

    What it does not give back is taken there again in the next round, if it still can be.
    """
    async with rt.database.connection() as db:
        served = await history.at(db, ref, moment)
    found = []
    for version in {each.digest: each for each in served if each.archived}.values():
        try:
            await rt.archive.files.get(ref, KIND, version.digest)
        except BackupDamaged as error:
            found.append(f"The files of the function {version.slug}, version {version.version}: {error.message}")
            async with rt.database.connection() as db:
                await history.record_damage(db, version, error.message)
    if found:
        raise BackupDamaged(" ".join(found))


async def bring_back(db: Connection, ref: str, moment: datetime) -> None:
    """Let serve what served then, when this transaction ends; what it leaves behind is cleared away in its time."""
    if await history.bring_back(db, ref, moment):
        await queue.start(db, apply, ref, collapse=True)


async def forget(rt: Runtime, ref: str, before: datetime) -> None:
    """Of what had ended before this moment. Raises ArchiveUnavailable."""
    async with rt.database.alone(ALONE) as is_alone:
        if not is_alone:
            return
        async with rt.database.connection() as db:
            outlived = await history.outlived(db, ref, before)
        await rt.archive.files.delete(ref, KIND, outlived)
        async with rt.database.transaction() as db:
            if await history.forget(db, ref, before):
                await queue.start(db, apply, ref, collapse=True)  # it clears their artifacts away

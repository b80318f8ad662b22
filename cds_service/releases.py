"""Which knowledge release answers, and how another one takes its place while the service runs.

A whole application is made for each release, beside the one that answers, and is put in its place
in one step. A request stays with the application that it came to, so that it is answered wholly
by one release.
"""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.kept_releases import FILE, Choice, KeptReleases, tables_at
from cds_service.knowledge.places import load_release
from cds_service.knowledge.release import Knowledge, read_release
from cds_service.settings import Settings, SettingsError
from cds_service.turns import Turns

if TYPE_CHECKING:
    from flask import Flask

EXTENSION = "alk_cds_releases"
"""Name under which the first application knows which one answers."""

_LOOK_SECONDS = 1.0

_logger = logging.getLogger("alk_cds.releases")


@dataclass(frozen=True)
class Loaded:
    """One release that was read whole, with its folder and those it can be compared with."""

    knowledge: Knowledge
    tables: Traversable
    earlier: tuple[Traversable, ...] = ()
    choice: Choice | None = None
    mark: tuple[int, int, int] | None = None
    """Of the choice when it was read."""


def kept_releases(settings: Settings) -> KeptReleases | None:
    """The releases among which the site chooses, None where it has only one."""
    if settings.releases_folder is None:
        return None
    return KeptReleases(settings.releases_folder, settings.knowledge_folder)


def chosen_path(settings: Settings) -> Path | None:
    """Where the release lies that answers; None for the packaged one. Raises KnowledgeError."""
    kept = kept_releases(settings)
    if kept is None:
        return settings.knowledge_folder
    in_use = kept.in_use()
    return kept.path(None if in_use is None else in_use.now)


def load_chosen(settings: Settings, given: Knowledge | None = None) -> Loaded:
    """The release that answers with these settings, or the one `given`. Raises KnowledgeError."""
    earlier = tuple(tables_at(place) for place in settings.earlier_releases)
    kept = kept_releases(settings)
    if given is not None or kept is None:
        own = settings.knowledge_folder
        knowledge = given or load_release(own, settings.local_codes_file, settings.concept_maps)
        return Loaded(knowledge, tables_at(own), earlier)
    mark, in_use = kept.mark(), kept.in_use()
    choice = None if in_use is None else in_use.now
    knowledge = kept.load(choice, settings.local_codes_file, settings.concept_maps)
    before = None if in_use is None else in_use.before
    return Loaded(
        knowledge, kept.tables(choice), (*earlier, *_readable(kept, before)), choice, mark
    )


def _readable(kept: KeptReleases, before: Choice | None) -> Iterable[Traversable]:
    """The release before, to be compared with; one that is gone is only missed there."""
    if before is None:
        return ()
    try:
        tables = kept.tables(before)
        read_release(tables)
        return (tables,)
    except KnowledgeError:
        return ()


class Releases:
    """The application of the release that answers, as one WSGI application."""

    def __init__(self, settings: Settings, first: Loaded, turns: Turns) -> None:
        """Nothing is watched yet: processes are forked after this."""
        self._settings = settings
        self._kept = kept_releases(settings)
        self._turns = turns
        self._build: Callable[[Loaded], Flask] | None = None
        self._now = first
        self._answers: Callable[..., Any] | None = None
        self._seen = first.mark
        self._refused: str | None = None
        self._looking = threading.Lock()
        self._watcher: threading.Thread | None = None

    @property
    def knowledge(self) -> Knowledge:
        """The release that answers now."""
        return self._now.knowledge

    @property
    def refused(self) -> str | None:
        """Why a release that was chosen does not answer."""
        return self._refused

    def application(self, build: Callable[[Loaded], Flask]) -> Flask:
        """The application of the first release, through which those of later ones answer too."""
        first = build(self._now)
        if self._kept is not None:
            self._build = build
            self._answers = first.wsgi_app
            first.wsgi_app = self  # type: ignore[method-assign]
            first.extensions[EXTENSION] = self
        return first

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request, with the release that is there when it comes."""
        self.watch()
        answers = self._answers
        assert answers is not None  # noqa: S101 - set before anybody can call
        return answers(environ, start_response)

    def watch(self) -> None:
        """Look out for another choice from now on, in a thread of this process."""
        watcher = self._watcher
        if watcher is None or not watcher.is_alive():
            with self._looking:
                if self._watcher is None or not self._watcher.is_alive():
                    self._watcher = threading.Thread(
                        target=self._look_again, name="knowledge releases", daemon=True
                    )
                    self._watcher.start()

    def _look_again(self) -> None:
        pause = threading.Event()
        while not pause.wait(_LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Take what was chosen since the last look, if it can be used; else say why and stay."""
        kept, build = self._kept, self._build
        if kept is None or build is None:
            return
        with self._looking:
            mark = kept.mark()
            if mark == self._seen:
                return
            self._seen = mark
            try:
                with _without_collection():
                    loaded = self._chosen(kept)
                    if loaded is None:
                        self._refused = None
                        return
                    answers = build(loaded).wsgi_app
            except (KnowledgeError, SettingsError) as error:
                self._refuse(error, str(error))
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the old release stays
                self._refuse(error, f"it could not be loaded: {type(error).__name__}")
                return
            # In this order: what says which release answers must never run ahead of it.
            self._answers = answers
            self._now = loaded
            self._refused = None
        _logger.info("knowledge_in_use", extra={"release": loaded.knowledge.release.version})
        del answers
        self._tidy()

    def _chosen(self, kept: KeptReleases) -> Loaded | None:
        """The release that was chosen, None when it answers already."""
        in_use = kept.in_use()
        if in_use is None:
            raise KnowledgeError(str(kept.file), "", f"{FILE}, which is gone")
        if in_use.now == self._now.choice:
            return None
        return load_chosen(self._settings)

    def _refuse(self, error: Exception, why: str) -> None:
        version = self.knowledge.release.version
        self._refused = f"release {version} still answers, the chosen one was refused: {why}"
        _logger.error("knowledge_refused", exc_info=error, extra={"release": version})

    def _tidy(self) -> None:
        """Let the earlier release go, and keep the new one out of collections in a call."""
        if not gc.get_freeze_count():
            return
        with self._turns.taken():
            gc.unfreeze()
            gc.collect()
            gc.freeze()


@contextmanager
def _without_collection() -> Iterator[None]:
    """Load without collections, each of which would hold up the calls that are answered."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()

"""Tasks in several processes, of which one may die without costing the others their answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Task = TypeVar("Task")
Answer = TypeVar("Answer")

_AHEAD = 2
"""Tasks that wait for each process: so few that memory stays bounded."""


class WorkerDied:
    """In place of an answer: the process died over this task, alone as well."""


WORKER_DIED = WorkerDied()


@dataclass(frozen=True)
class Pool(Generic[Task, Answer]):
    """How tasks are worked on. `prepare` is called once in each process with `given`."""

    work: Callable[[Task], Answer]
    prepare: Callable[..., None]
    given: tuple[Any, ...]
    processes: int

    def answers(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Answer | WorkerDied]]:
        """Each task with its answer, in the order in which they are done.

        When a process dies (killed for want of memory, say) the tasks that were under way are
        tried again one at a time; one over which a process dies again is answered WORKER_DIED.
        An error of `work` itself is raised.
        """
        if self.processes == 1:
            self.prepare(*self.given)
            for task in tasks:
                yield task, self.work(task)
            return
        left = deque(tasks)
        while left:
            suspects: list[Task] = []
            yield from self._until_broken(left, suspects)
            for task in suspects:
                yield task, self._alone(task)

    def _until_broken(
        self, left: deque[Task], suspects: list[Task]
    ) -> Iterator[tuple[Task, Answer | WorkerDied]]:
        pool = self._started(self.processes)
        running: dict[Future[Answer], Task] = {}
        try:
            while left or running:
                while left and len(running) < self.processes * _AHEAD:
                    task = left.popleft()
                    try:
                        running[pool.submit(self.work, task)] = task
                    except BrokenProcessPool:
                        suspects.append(task)
                        break
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    task = running.pop(future)
                    try:
                        answer = future.result()
                    except BrokenProcessPool:
                        suspects.append(task)
                        continue
                    yield task, answer
                if suspects:
                    suspects.extend(running.values())
                    return
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _alone(self, task: Task) -> Answer | WorkerDied:
        pool = self._started(1)
        try:
            return pool.submit(self.work, task).result()
        except BrokenProcessPool:
            return WORKER_DIED
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _started(self, processes: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(processes, initializer=self.prepare, initargs=self.given)

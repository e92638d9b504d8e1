"""Work on several images at a time, each in a process of its own."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import Any, NoReturn

from mirimask.atomic import ENDS
from mirimask.errors import MaskError

__all__ = ["several_at_a_time"]

_PATIENCE = 10.0  # seconds in which a process takes away what is half written
# A fork has what its parent has imported. Elsewhere than on Linux, system libraries do not bear it.
START = "fork" if sys.platform == "linux" else "spawn"


def several_at_a_time(
    work: Callable[..., Any], jobs: Sequence[tuple[Any, ...]], *, cores: int
) -> Iterator[Any]:
    """The result of `work(*job)` of each of the `jobs`, in their order, `cores` of them at a time.

    A MaskError stands in the place of one that was not done because a process died. When the
    caller stops in between, by an error or Ctrl-C, so do the processes.
    """
    context, before = multiprocessing.get_context(START), set(threading.enumerate())
    with ProcessPoolExecutor(min(cores, len(jobs)), context, initializer=_begin) as pool:
        try:
            # Ctrl-C reaches all processes of a terminal, and is for this one alone to answer: the
            # others begin with it blocked. Nor may this one end while it holds the pool's locks
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *ENDS})
            futures: list[Future[Any]] = []
            try:
                with suppress(BrokenProcessPool):  # by one of the first, while there are more
                    futures.extend(pool.submit(_done, work, job) for job in jobs)
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, *ENDS})
            for number in range(len(jobs)):
                try:
                    if number >= len(futures):
                        raise BrokenProcessPool
                    yield futures[number].result()
                except BrokenProcessPool:
                    yield MaskError(
                        "not made, because a process that worked on one of the images died, for "
                        "want of memory perhaps; run it again, with a smaller --cores."
                    )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            processes = multiprocessing.active_children()
            for process in processes:
                process.terminate()
            for process in processes:
                process.join(_PATIENCE)
                process.kill()
            # the pool's own thread, which would be woken at the end of Python while it closes
            for thread in set(threading.enumerate()) - before:
                if not thread.daemon:
                    thread.join(_PATIENCE)
            raise


def _begin() -> None:
    """In a process, before its work: it ends when it is asked to, and when no one waits for it."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    # between two images the system ends it: Python's own answer waits for the pool's locks, and for
    # ever where it came just before them
    for number in _taken():
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)


def _taken() -> list[int]:
    return [number for number in ENDS if signal.getsignal(number) != signal.SIG_IGN]  # `nohup`


def _end(*_: object) -> NoReturn:
    raise SystemExit(1)  # what is half written is taken away


def _done(work: Callable[..., Any], job: tuple[Any, ...]) -> Any:
    numbers = _taken()
    try:
        try:
            for number in numbers:
                signal.signal(number, _end)
            return work(*job)
        finally:
            for number in numbers:
                signal.signal(number, signal.SIG_DFL)
    except SystemExit:  # the pool would take it for a result, and go on with the next
        os._exit(1)

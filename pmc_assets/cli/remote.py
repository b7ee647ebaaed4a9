"""The end of the thread in which fsspec reads remote lakes. How they are read stays out."""

import sys

LAST_WORDS_S = 2.0


def stop_reading() -> None:
    """Stop fsspec's thread, where there is one.

    One that lives while Python ends keeps modules, which DuckDB 2.0 then tells on the screen as leaks. For the exit of
    the process only: nothing remote can be read afterwards.
    """
    fsspec = sys.modules.get("fsspec.asyn")
    if fsspec is None or fsspec.loop[0] is None:
        return
    fsspec.loop[0].call_soon_threadsafe(fsspec.loop[0].stop)
    fsspec.iothread[0].join(LAST_WORDS_S)
    if not fsspec.iothread[0].is_alive():
        fsspec.loop[0].close()

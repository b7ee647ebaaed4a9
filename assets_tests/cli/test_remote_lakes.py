"""The thread in which remote lakes are read."""

import fsspec.asyn

from pmc_assets.cli.remote import stop_reading


def test_fsspec_has_no_thread_left_at_the_end(monkeypatch):
    monkeypatch.setattr(fsspec.asyn, "loop", [None])
    monkeypatch.setattr(fsspec.asyn, "iothread", [None])
    stop_reading()
    loop = fsspec.asyn.get_loop()
    thread = fsspec.asyn.iothread[0]
    assert thread is not None and thread.is_alive()
    stop_reading()
    assert loop.is_closed() and not thread.is_alive()

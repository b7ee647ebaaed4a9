"""The request rate of an instance: one token for all its processes."""

from pathlib import Path

from pmc_assets.entrez.rate import DOWN_S, LONGEST_PAUSE_S, SAFETY_FACTOR, RateGate


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


def make_gate(folder: Path, time: FakeTime, rate: float = 3.0) -> RateGate:
    return RateGate(folder / "rate.json", rate, time.clock, time.sleep)


def test_tokens_are_a_gap_apart_however_many_gates_share_the_file(tmp_path: Path) -> None:
    time = FakeTime()
    gates = [make_gate(tmp_path, time), make_gate(tmp_path, time)]
    for turn in range(6):
        gates[turn % 2].wait()
    assert time.slept == [0.0] + [round(SAFETY_FACTOR / 3, 6)] * 5


def test_an_idle_gate_saves_no_tokens(tmp_path: Path) -> None:
    time = FakeTime()
    gate = make_gate(tmp_path, time)
    gate.wait()
    time.now += 60
    gate.wait()
    gate.wait()
    assert time.slept == [0.0, 0.0, round(SAFETY_FACTOR / 3, 6)]


def test_a_pause_holds_every_gate_but_not_for_ever(tmp_path: Path) -> None:
    time = FakeTime()
    one, other = make_gate(tmp_path, time), make_gate(tmp_path, time)
    one.pause(5.0)
    other.wait()
    one.pause(1e9)
    other.wait()
    assert time.slept == [5.0, LONGEST_PAUSE_S]


def test_down_is_known_to_all_until_an_answer_or_a_while(tmp_path: Path) -> None:
    time = FakeTime()
    one, other = make_gate(tmp_path, time), make_gate(tmp_path, time)
    assert not other.is_down()
    one.note_down()
    assert other.is_down()
    other.note_up()
    assert not one.is_down()
    one.note_down()
    time.now += DOWN_S
    assert not other.is_down()


def test_a_half_written_state_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "rate.json").write_text('{"next_at": 17')
    time = FakeTime()
    make_gate(tmp_path, time).wait()
    assert time.slept == [0.0]


def test_a_clock_that_was_set_back_does_not_hold_for_long(tmp_path: Path) -> None:
    time = FakeTime()
    make_gate(tmp_path, time).wait()
    time.now -= 1e6
    make_gate(tmp_path, time).wait()
    assert time.slept[-1] <= LONGEST_PAUSE_S

"""Tasks in processes of their own: results, exceptions, messages on the way, and deaths."""

import os
import sys

import numpy as np
import pytest
from helpers.worker_tasks import die_in_the_middle_of_a_message, double, refuse, talk, talk_or_fail, tell_much

from ageensemble._utils import workers


def test_processes_return_results_with_their_tasks():
    assert sorted(workers.run(double, [1, 2, 3], 2)) == [(1, 2), (2, 4), (3, 6)]


def test_processes_hand_back_exceptions_as_they_were():
    with pytest.raises(OSError, match="No space left") as caught:
        list(workers.run(refuse, [1, 2], 2))
    assert (caught.value.errno, caught.value.filename) == (28, "/full")


def test_what_a_task_tells_is_heard_in_order_before_it_ends():
    heard = []
    for task, result in workers.run(talk, [5, 6], 2, on_message=lambda task, message: heard.append((task, message))):
        assert result == task
        assert [message for who, message in heard if who == task] == [{"step": i, "of": task} for i in range(3)]


def test_a_long_message_arrives_whole():
    heard = []
    assert list(workers.run(tell_much, [1], 1, on_message=lambda task, message: heard.append(message))) == [(1, 1)]
    np.testing.assert_array_equal(heard[0], np.arange(1_000_000))


def test_telling_where_nobody_waits_does_nothing():
    workers.tell("hello")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for the pipe in /proc")
def test_a_message_cut_short_by_a_kill_is_not_heard_and_the_death_is_known():
    heard = []
    [(_, died)] = workers.run(
        die_in_the_middle_of_a_message, [1], 1, on_message=lambda task, message: heard.append(message)
    )
    assert isinstance(died, workers.ProcessDied)
    assert "SIGKILL" in str(died)
    assert heard == ["before"]


def test_giving_up_ends_the_processes_that_talk():
    heard = []
    with pytest.raises(ZeroDivisionError):
        list(workers.run(talk_or_fail, ["talk", "fail"], 2, on_message=lambda task, message: heard.append(message)))
    assert len(set(heard)) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(heard[0], 0)

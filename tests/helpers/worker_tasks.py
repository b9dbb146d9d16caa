"""Tasks for worker processes: importable by them, as the tests themselves are not."""

import os
import signal
import time

import numpy as np

from ageensemble._utils import workers


def double(number):
    return 2 * number


def refuse(number):
    raise OSError(28, "No space left on device", "/full")


def talk(number):
    for step in range(3):
        workers.tell({"step": step, "of": number})
    return number


def tell_much(number):
    workers.tell(np.arange(1_000_000))
    return number


def die_in_the_middle_of_a_message(number):
    workers.tell("before")
    os.write(int(max(os.listdir("/proc/self/fd"), key=lambda fd: is_pipe(fd) * int(fd))), b"\0\0\0\0\0\0\1\0half a")
    os.kill(os.getpid(), signal.SIGKILL)


def is_pipe(fd):
    try:
        return os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:")
    except OSError:
        return False


def talk_or_fail(task):
    while task == "talk":
        workers.tell(os.getpid())
        time.sleep(0.01)
    time.sleep(1)
    raise ZeroDivisionError

"""Work in processes of its own, one for each task: what kills one is known to be that task's fault, and costs no other.

Ctrl-C reaches only the process that started them, which ends them; should that one be killed, they end by themselves.
"""

import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
SERVE = f"from {__name__} import serve; serve()"
LENGTH = struct.Struct(">Q")  # stands before each message of a worker: the bytes that follow
_send = None  # in a worker: what writes to the process that waits for it


class ProcessDied(Exception):
    """The process of a task ended before the task did; the message says how."""


def run(function, tasks, jobs, threads=lambda task: 1, on_message=lambda task, message: None):
    """Call a function on every task, each in a new process.

    Parameters
    ----------
    function : callable
    tasks : list
    jobs : int
        processes at once
    threads : callable
        how many the numerical libraries in the process of a task may use
    on_message : callable
        called with a task and what its function sent with `tell`, from a thread of that task

    Yields
    ------
    tuple
        task and what the function returned, or a ProcessDied, in the order they end

    Raises
    ------
    Exception
        What the function raised; the tasks under way are given up.
    """
    alive, over = set(), threading.Event()
    pool = ThreadPoolExecutor(jobs, initializer=_ignore_interrupts)
    try:
        futures = {pool.submit(_call, function, task, threads(task), on_message, alive, over): task for task in tasks}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        over.set()
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(alive):
            process.kill()
        pool.shutdown()


def _ignore_interrupts():
    """Keep Ctrl-C from this thread, and so from the processes it starts, from their first instruction on."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _call(function, task, threads, on_message, alive, over):
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    command = [sys.executable, "-c", SERVE]
    outcome = None
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        alive.add(process)
        if over.is_set():
            process.kill()
        try:
            process.stdin.write(pickle.dumps(sys.path) + pickle.dumps((function, task)))
            process.stdin.flush()
            for kind, content in _messages(process.stdout):
                if kind == "ended":
                    outcome = content
                elif not over.is_set():
                    on_message(task, content)
            process.stdin.close()  # not before: its end says that nobody waits any more
        except BrokenPipeError:
            pass
    alive.discard(process)
    if not outcome:
        code = process.returncode
        return ProcessDied(f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}")
    result, error = outcome
    if error:
        raise error
    return result


def _messages(stream):
    """What a worker sends, to its end; a message that its death cut short is none."""
    while len(head := stream.read(LENGTH.size)) == LENGTH.size:
        [length] = LENGTH.unpack(head)
        content = stream.read(length)
        if len(content) < length:
            return
        yield pickle.loads(content)


def serve():
    """In the new process: read function and task from standard input, write messages and outcome to standard output."""
    global _send
    out, one = os.fdopen(os.dup(1), "wb"), threading.Lock()
    os.dup2(2, 1)  # what the task prints must not get between

    def _send(kind, content):
        message = pickle.dumps((kind, content))
        with one:
            out.write(LENGTH.pack(len(message)) + message)
            out.flush()

    sys.path[:] = pickle.load(sys.stdin.buffer)
    function, task = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        outcome = function(task), None
    except Exception as error:
        outcome = None, error
    _send("ended", outcome)
    out.close()


def tell(message):
    """Send something to the process that waits while the task goes on; where none waits, nothing is sent.

    Parameters
    ----------
    message : anything that can be pickled
    """
    if _send:
        try:
            _send("message", message)
        except BrokenPipeError:
            os._exit(1)  # as `_end_with_parent`: it is not the task that failed


def _end_with_parent():
    os.read(0, 1)
    os._exit(1)

"""The page as it is served, for tests: in a thread, on a free port; and models to serve."""

import http.client
import json
import threading
from contextlib import closing, contextmanager, suppress
from unittest import mock

from helpers.commands import ageensemble, benchmark, experiment

from ageensemble import inference
from ageensemble.apps.web import app
from ageensemble.apps.web import server as listening
from ageensemble.apps.web.examples import examples
from ageensemble.experiments import benchmark as bench
from ageensemble.experiments.experiment import Experiment

MODEL_INFO = {"name": "a model", "scores": "", "card": "# A card"}
MODELS = ["--model", "svm@hog pca=8 hog.size=48", "--model", "svm@lbp pca=4 lbp.size=48"]


def models(data, cache, folder):
    """Folders of an SVM and of a mean of two, tiny ones; how the images show a face is not measured."""
    out = folder / "runs"
    with mock.patch.object(bench, "measure_template"):
        done = benchmark(data, out, cache, *MODELS, "--no-stack")
    assert done.returncode == 0, done.stderr
    assert ageensemble("stack", "--out", out, "--method", "mean").returncode == 0
    split = Experiment(experiment(out))
    for run in split.runs:
        if run.title.startswith(("svm@hog", "mean")):
            inference.save(run, split, folder / run.title.partition(" ")[0])
    return folder / "svm@hog", folder / "mean"


@contextmanager
def served(respond, model_info=MODEL_INFO, images=None, host="127.0.0.1", max_bytes=1_000_000, log=lambda text: None):
    """Serve the page while the block lasts; yields the port."""
    images = examples() if images is None else images
    sock = listening.listening("127.0.0.1", 0)
    server = listening.server(app.make(respond, model_info, images, host, max_bytes, log))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        yield sock.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        sock.close()


def ask(port, path="/", body=None, **headers):
    """Status, headers and content of an answer; content from JSON where it is that. With a body, it is sent by POST."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        with suppress(BrokenPipeError, ConnectionResetError):  # who is refused may be so before all was sent
            connection.request("GET" if body is None else "POST", path, body, names)
        answer = connection.getresponse()
        content = answer.read()
    if answer.headers.get_content_type() == "application/json":
        content = json.loads(content)
    return answer.status, answer.headers, content

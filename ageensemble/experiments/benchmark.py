"""The main job: data and models in, complete runs on one split out."""

import re
from dataclasses import dataclass
from pathlib import Path

from .. import ensembles, models
from .._utils import registry
from .._utils.cache import default_folder
from .._utils.console import Console, Training
from .._utils.hardware import available_gpu_memory, available_memory, cores, find_device, peak_memory
from .._utils.io import key_of
from ..ages import DEFAULT_AGE_GROUPS
from ..data import faces, image_array
from ..features import feature_matrix
from ..models import spec as specs
from ..reporting import run_report
from ..splits.split import N_FOLDS
from . import fold_fit, stack
from .experiment import Experiment
from .run import fold_label

DEFAULT_MODELS = ["svm", "xgboost", "cnn"]


@dataclass(frozen=True)
class Settings:
    """Where things lie and what the machine may use.

    Attributes
    ----------
    out, cache : pathlib.Path
        folders of runs and of the cache
    jobs : int
        fold fits at once
    device : str
        "cpu" or "cuda"
    console : Console
    """

    out: Path
    cache: Path
    jobs: int
    device: str
    console: Console

    @property
    def threads(self):
        """Threads of each fold fit, so that all together use every core once."""
        return max(1, cores() // self.jobs)


def settings(out="runs", cache=None, jobs=None, device="auto", verbose=False):
    """`Settings` with what was not given filled in."""
    jobs = jobs or min(N_FOLDS, cores())
    return Settings(Path(out), Path(cache or default_folder()), jobs, find_device(device), Console(verbose))


def find_faces(which, here):
    """The detector that `--detector` names; see `faces.detector`."""
    with here.console.progress("bytes") as bar:
        return faces.detector(which, cache=here.cache, say=here.console.detail, progress=bar("fetching YuNet"))


def measure_template(experiment, dataset, detector, insist, here):
    """Put into the split folder how the photographs show a face, unless that was measured with this detector before.

    A detector that nobody insists on replaces no template with landmarks either: it may only be what is at hand today.
    """
    known = experiment.template
    if known and (known.detector["key"] == detector.key or (known.landmarks is not None and not insist)):
        return
    rows = dataset.items["photo"].to_numpy()
    with here.console.progress() as bar:
        told = bar("finding faces")
        found = faces.measure(dataset.photos, rows, detector, cache=here.cache, jobs=cores(), progress=told)
    if found:
        experiment.write_template(found)
    else:
        here.console.detail(f"no template of the faces: {detector.name} finds one in too few of the photographs")


def run(dataset, split, about, wanted, seed, kind, here, age_groups=DEFAULT_AGE_GROUPS, detector=None, insist=False):
    """Fit what is missing of these models on this split.

    Parameters
    ----------
    dataset, split : Dataset, Split
    about : dict
        from `preparing.prepare`
    wanted : list of Spec
        the floor is added, it opens every table
    seed : int
    kind : {"folds", "refit"}
    here : Settings
    groups : Scheme
        of the reports
    detector : callable, optional
        from `find_faces`; a template of the faces is measured with it
    insist : bool
        whether it was asked for, and is not just what is at hand

    Returns
    -------
    Experiment, list of Run
    """
    settled = [spec.settled(here.cache, here.device, here.threads, here.console.say) for spec in wanted]
    wanted = list({key_of(spec.config): spec for spec in settled}.values())  # auto may have become what another is
    experiment = Experiment.create(here.out, dataset, split, about)
    here.console.say(f"runs: {experiment.folder}")
    if detector:
        measure_template(experiment, dataset, detector, insist, here)
    extractors = [extractor for spec in wanted for extractor in spec.extractors]
    for file in {file for one in extractors for file in registry.paths(one.get_params(), one.file_parameters).values()}:
        experiment.keep(file)
    floor = specs.parse("prior")
    others = [spec for spec in wanted if (spec, kind) != (floor, "folds")]
    runs = {experiment.start(spec, seed, kind, here.threads, here.device): spec for spec in others}
    runs[experiment.start(floor, seed, "folds", 1, "cpu")] = floor
    unfinished = {run: spec for run, spec in runs.items() if run.state(split.n_folds, thorough=True)[0] != "complete"}
    for run_ in runs.keys() - unfinished.keys():
        here.console.detail(f"{run_.name}: complete, nothing to do")
    files = _matrices(unfinished, dataset, here)
    photographs = _photographs(unfinished.values(), dataset, here)
    missing = []
    for run_, spec in unfinished.items():
        matrices, looks_at = files[run_], (size_seen(spec), spec.preprocess)
        missing += fold_fit.missing_fits(run_, spec, dataset, split, matrices, photographs.get(looks_at))
    missing.sort(key=lambda fit: fit.images is None)  # what takes longest first, so that no core waits for it
    _fit(missing, unfinished, len(split.development), here)
    for run_ in unfinished:
        if all(run_.sound(fold) for fold in run_.fold_names(split.n_folds)):
            run_.finish(split)
    _report(
        [run_ for run_ in runs if run_.state(split.n_folds)[0] == "complete"], experiment, dataset, here, age_groups
    )
    return experiment, list(runs)


def combine(experiment, dataset, here, age_groups=DEFAULT_AGE_GROUPS):
    """Build every kind of ensemble of all runs on a split, where there are two that can be members.

    Returns
    -------
    list of Run
    """
    if len(stack.eligible(experiment)) < 2:
        here.console.detail("no ensembles: fewer than two complete runs")
        return []
    made = stack.combine(experiment, None, ensembles.REGISTRY.names(), 0, here.console)
    _report(made, experiment, dataset, here, age_groups)
    return made


def _report(complete, experiment, dataset, here, age_groups):
    for run_ in complete:
        if run_report.missing(run_):
            here.console.detail(f"{run_.name}: writing the report")
            run_report.write(run_, experiment, age_groups, dataset.photos, dataset.items["photo"].to_numpy())


def _matrices(unfinished, dataset, here):
    """Files of the feature matrices that each run needs."""
    with here.console.progress() as bar:
        return {
            run: [
                feature_matrix(
                    extractor, dataset, here.cache, here.device, bar(f"features {extractor.name}"), spec.preprocess
                )
                for extractor in spec.extractors
            ]
            for run, spec in unfinished.items()
        }


def _photographs(wanted, dataset, here):
    """Photographs at every size that the models want them in, preprocessed as they want them."""
    looks = sorted({(size_seen(spec), spec.preprocess) for spec in wanted if size_seen(spec)})
    if not looks:
        return {}
    with here.console.progress() as bar:
        return {
            (size, preprocess): image_array.photographs(
                dataset, size, here.cache, bar(f"resizing to {size}"), preprocess
            )
            for size, preprocess in looks
        }


def _fit(fits, unfinished, n, here):
    if not fits:
        return
    # A run goes on with the threads it began with, whatever --jobs says now
    threads = max(fit.n_threads for fit in fits)
    jobs = min(here.jobs, max(1, cores() // threads), _jobs_in_memory(unfinished, n, here))
    with here.console.progress("fold fits") as bar:
        update, ended, training = bar("fitting"), 0, {}
        update(0, len(fits))

        def on_progress(fit, progress):
            if fit.folder not in training:
                shown = bar(here.console.shortened(fit.run.name, fold_label(fit.fold)))
                training[fit.folder] = Training(shown, fit.name, here.console)
            training[fit.folder](progress)

        def on_end(fit, seconds, error):
            nonlocal ended
            ended += 1
            if fit.folder in training:
                training.pop(fit.folder).end()
            note = here.console.shortened(fit.run.name, f"{fold_label(fit.fold)} {seconds:.0f} s")
            update(ended, len(fits), note)
            here.console.detail(f"{fit.name}: {seconds:.1f} s")
            if error:
                here.console.say(f"failed: {fit.name}: {error}")
                here.console.detail((fit.run.record(fit.fold) or {}).get("traceback", ""))

        fold_fit.fit_all(fits, jobs, on_end, on_progress)
    _say_peak(fits, jobs, here)


def _say_peak(fitted, jobs, here):
    """One line on the memory that was needed, the processes together roughly."""
    records = [fit.run.record(fit.fold) or {} for fit in fitted]
    each, own = max(record.get("peak_bytes", 0) for record in records), peak_memory()
    together = own + min(jobs, len(fitted)) * each
    text = f"peak memory: {own / 1e9:.1f} GB here, {each / 1e9:.1f} GB in a fold fit"
    here.console.say(f"{text}, together about {together / 1e9:.1f} GB")


def _jobs_in_memory(unfinished, n, here):
    """How many fold fits go into memory at once, the GPU's too where there is one, by what the models say they need."""
    needs = [fit_memory(spec, n) for spec in unfinished.values()]
    jobs = _at_once(max(needs), 0.8 * available_memory(), "memory", here)
    networks = [spec for spec in unfinished.values() if hasattr(spec.make, "gpu_bytes")]
    if here.device == "cuda" and networks:
        need = max(spec.make(**spec.params).gpu_bytes() for spec in networks)
        # Networks leave half of it to the photographs, which they keep there where there is room
        jobs = min(jobs, _at_once(need, 0.5 * available_gpu_memory(), "GPU memory", here))
    return jobs


def _at_once(need, free, what, here):
    """How many fold fits that need so many bytes go into the free ones; it is said where that is fewer than wanted."""
    jobs = max(1, int(free // max(need, 1)))
    text = f"a fold fit needs up to {need / 1e9:.1f} GB of {what}, {free / 1e9:.1f} GB may be used: "
    if jobs < here.jobs:
        here.console.say(f"{text}{jobs} at once")
    else:
        here.console.detail(f"{text}enough for {here.jobs} at once")
    return jobs


def size_seen(spec):
    """Size of the photographs that a model looks at, as `pixels.side` reads it; None where it is given features."""
    return str(spec.params.get("size")) if spec.make.takes_images else None


def fit_memory(spec, n):
    """Rough bytes a fold fit on `n` training items needs: its features, what its model says, the interpreter."""
    model = spec.make(**spec.params)
    if size_seen(spec):  # which are read batch by batch
        return model.fit_bytes(n, image_array.dimension(size_seen(spec))) + 500_000_000
    d = sum(extractor.n_features() for extractor in spec.extractors)
    return 4 * n * d + model.fit_bytes(n, d) + 500_000_000


def parse_models(names, texts, feature_names, settings):
    """Specs of `--models a,b` and `--model '...'`, or of the default ones.

    Parameters
    ----------
    names, feature_names : str or None
    texts, settings : list of str or None

    Returns
    -------
    list of Spec
        each once
    """
    wanted = [name.strip() for name in (names or "").split(",") if name.strip()] + list(texts or [])
    wanted = wanted or DEFAULT_MODELS
    ours = {text: re.split("[@ ]", text)[0] in models.names() for text in wanted}
    parsed = {  # ours first: a mistake in them is known before timm is loaded for the others, which takes seconds
        text: specs.parse(text, feature_names, settings or ()) for text in sorted(ours, key=ours.get, reverse=True)
    }
    return list({key_of(parsed[text].config): parsed[text] for text in wanted}.values())

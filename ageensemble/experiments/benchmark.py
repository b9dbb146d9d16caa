"""The main job: data and models in, complete runs on one split out."""

from pathlib import Path
from typing import NamedTuple

from .. import ensembles
from .._utils.hardware import available_gpu_memory, available_memory, cores, peak_memory
from .._utils.io import content_key
from .._utils.params import file_parameters
from ..data import faces, image_array
from ..data.dataset import Dataset
from ..errors import UsageError
from ..features import feature_matrix
from ..models import spec as specs
from ..splits.split import Split, make_split, read_split
from . import fold_fit, stack
from .config import DEFAULT_MODELS, BenchmarkConfig, DataConfig, Resources
from .experiment import Experiment
from .prepare import PreparedData, count_leaks, prepare
from .progress import LogConsole, TrainingProgress
from .run import fold_label


class BenchmarkResult(NamedTuple):
    """Where the runs lie, the run of each model asked for (the prior baseline last), and the ensembles of all runs."""

    experiment: Experiment
    runs: list
    ensembles: list


def benchmark(
    dataset, models=DEFAULT_MODELS, split=None, out="runs", *, random_state=0, resources=None, on_progress=None
) -> Experiment:
    """Compare models on one split: each is fitted on every fold, and all together are combined.

    What was fitted before is kept: further models join the table.

    Parameters
    ----------
    dataset : Dataset, or path or list of them
        see `load_dataset`
    models : sequence of str or estimator
        full names such as "svm@hog C=30", estimators of this package, or any of scikit-learn's kind
    split : Split or path, optional
        by default five folds and a test part from `random_state`
    out : path
        folder of runs
    random_state : int
        of the split and the models
    resources : Resources, optional
    on_progress : callable, optional
        told what is being done, how much of it is, and of how much: (str, float, float)

    Returns
    -------
    Experiment

    Raises
    ------
    UsageError, DataError
        An unknown model or parameter; bad data, or a split that leaks.

    Examples
    --------
    >>> study = benchmark("photos/", ["svm", SVM(C=30), ExtraTreesRegressor()])
    >>> study["svm"].predictions("oof")
    """
    ready, console = isinstance(dataset, Dataset), LogConsole(on_progress)
    config = BenchmarkConfig(
        models=tuple([models] if isinstance(models, str) else models),
        data=DataConfig(() if ready else [dataset] if isinstance(dataset, (str, Path)) else dataset),
        random_state=random_state,
        out=Path(out),
        resources=resources or Resources(),
    )
    config.specs()  # complains of a wrong name before anything is read
    data = None if ready else prepare(config, console)
    if ready or split is not None:
        data = _split_as_asked(dataset if ready else data.dataset, split, random_state)
    return run_benchmark(config, console, data).experiment


def _split_as_asked(dataset, split, random_state):
    """A dataset with its split, which may have to be made or read."""
    if split is None:
        split = make_split(dataset, random_state=random_state)
    elif not isinstance(split, Split):
        split, dataset = read_split(Path(split), dataset)
    if len(split.fold) != len(dataset):
        raise UsageError(f"the split is of {len(split.fold):,} items, the dataset has {len(dataset):,}")
    return PreparedData(dataset, split, {"leaks": count_leaks(dataset, split), "limited": 0})


def run_benchmark(config, console=None, data=None, detector=None) -> BenchmarkResult:
    """Fit what is missing of the models of a configuration, and combine all runs on the split.

    Parameters
    ----------
    config : BenchmarkConfig
    console : Console or LogConsole, optional
        told what people should know
    data : PreparedData, optional
        what `prepare` made of the configuration; made here where it is not given
    detector : callable, optional
        from `find_detector`, likewise
    """
    console = console or LogConsole()
    resources, kind = config.resources, config.kind
    wanted = config.specs()
    detector = detector or find_detector(config, console)
    dataset, split, metadata = data or prepare(config, console)
    resolved = [one.resolve(resources.cache, resources.device, resources.n_threads, console.say) for one in wanted]
    wanted = list({content_key(one.config): one for one in resolved}.values())  # auto may have become what another is
    experiment = Experiment.create(config.out, dataset, split, metadata)
    console.say(f"runs: {experiment.folder}")
    measure_template(experiment, dataset, detector, config, console)
    extractors = [extractor for one in wanted for extractor in one.extractors]
    for file in {
        file for one in extractors for file in file_parameters(one.get_params(), one.file_parameters).values()
    }:
        experiment.store_file(file)
    prior, seed = specs.parse("prior"), config.random_state  # which opens every table
    others = [one for one in wanted if (one, kind) != (prior, "folds")]
    runs = {experiment.start(one, seed, kind, resources.n_threads, resources.device): one for one in others}
    runs[experiment.start(prior, seed, "folds", 1, "cpu")] = prior
    unfinished = {run: one for run, one in runs.items() if run.state(split.n_folds, thorough=True)[0] != "complete"}
    for run in runs.keys() - unfinished.keys():
        console.detail(f"{run.name}: complete, nothing to do")
    fits = _missing_fits(unfinished, dataset, split, resources, console)
    _fit(fits, unfinished, len(split.development), resources, console)
    for run in unfinished:
        if all(run.sound(fold) for fold in run.fold_names(split.n_folds)):
            run.finish(split)
    return BenchmarkResult(experiment, list(runs), _combine(experiment, console) if config.ensembles else [])


def _combine(experiment, console):
    """Build every kind of ensemble of all runs on a split, where there are two that can be members; list of Run."""
    if len(stack.eligible(experiment)) < 2:
        console.detail("no ensembles: fewer than two complete runs")
        return []
    return stack.combine(experiment, None, ensembles.REGISTRY.names(), 0, console)


def find_detector(config, console):
    """The face detector that a configuration names; see `faces.detector`."""
    with console.progress("bytes") as bar:
        fetching = bar("fetching YuNet")
        return faces.detector(config.detector, cache=config.resources.cache, say=console.detail, progress=fetching)


def measure_template(experiment, dataset, detector, config, console):
    """Put into the experiment how the images show a face, unless that was measured with this detector before.

    A detector that nobody insists on replaces no template with landmarks either: it may only be what is at hand today.
    """
    known = experiment.template
    asked_for = config.detector != "auto"
    if known and (known.detector["key"] == detector.key or (known.landmarks is not None and not asked_for)):
        return
    rows = dataset.items["image"].to_numpy()
    with console.progress() as bar:
        looking = bar("finding faces")
        found = faces.measure(
            dataset.image_store, rows, detector, cache=config.resources.cache, jobs=cores(), progress=looking
        )
    if found:
        experiment.write_template(found)
    else:
        console.detail(f"no template of the faces: {detector.name} finds one in too few of the images")


def _missing_fits(unfinished, dataset, split, resources, console):
    """The fold fits that are missing, those of networks first: what takes longest, so that no core waits for it."""
    files = _feature_files(unfinished, dataset, resources, console)
    images = _image_arrays(unfinished.values(), dataset, resources, console)
    fits = []
    for run, spec in unfinished.items():
        seen = images.get((size_seen(spec), spec.preprocess))
        fits += fold_fit.missing_fits(run, spec, dataset, split, files[run], seen)
    return sorted(fits, key=lambda fit: fit.images is None)


def _feature_files(unfinished, dataset, resources, console):
    """Files of the feature matrices that each run needs."""
    with console.progress() as bar:
        return {
            run: [
                feature_matrix(
                    one, dataset, resources.cache, resources.device, bar(f"features {one.name}"), spec.preprocess
                )
                for one in spec.extractors
            ]
            for run, spec in unfinished.items()
        }


def _image_arrays(wanted, dataset, resources, console):
    """Images at every size that the models want them in, preprocessed as they want them."""
    looks = sorted({(size_seen(spec), spec.preprocess) for spec in wanted if size_seen(spec)})
    if not looks:
        return {}
    with console.progress() as bar:
        return {
            (size, preprocess): image_array.load_images(
                dataset, size, resources.cache, bar(f"resizing to {size}"), preprocess
            )
            for size, preprocess in looks
        }


def _fit(fits, unfinished, n, resources, console):
    if not fits:
        return
    # A run goes on with the threads it began with, whatever --jobs says now
    threads = max(fit.n_threads for fit in fits)
    jobs = min(resources.n_jobs, max(1, cores() // threads), _jobs_in_memory(unfinished, n, resources, console))
    with console.progress("fold fits") as bar:
        update, ended, training = bar("fitting"), 0, {}
        update(0, len(fits))

        def on_progress(fit, progress):
            if fit.folder not in training:
                shown = bar(console.shortened(fit.run.name, fold_label(fit.fold)))
                training[fit.folder] = TrainingProgress(shown, fit.name, console)
            training[fit.folder](progress)

        def on_end(fit, seconds, error):
            nonlocal ended
            ended += 1
            if fit.folder in training:
                training.pop(fit.folder).end()
            note = console.shortened(fit.run.name, f"{fold_label(fit.fold)} {seconds:.0f} s")
            update(ended, len(fits), note)
            console.detail(f"{fit.name}: {seconds:.1f} s")
            if error:
                console.say(f"failed: {fit.name}: {error}")
                console.detail((fit.run.record(fit.fold) or {}).get("traceback", ""))

        fold_fit.fit_all(fits, jobs, on_end, on_progress)
    _say_peak(fits, jobs, console)


def _say_peak(fitted, jobs, console):
    """One line on the memory that was needed, the processes together roughly."""
    records = [fit.run.record(fit.fold) or {} for fit in fitted]
    each, own = max(record.get("peak_bytes", 0) for record in records), peak_memory()
    together = own + min(jobs, len(fitted)) * each
    text = f"peak memory: {own / 1e9:.1f} GB here, {each / 1e9:.1f} GB in a fold fit"
    console.say(f"{text}, together about {together / 1e9:.1f} GB")


def _jobs_in_memory(unfinished, n, resources, console):
    """How many fold fits go into memory at once, the GPU's too where there is one, by what the models say they need."""
    needs = [fit_memory(spec, n) for spec in unfinished.values()]
    jobs = _at_once(max(needs), 0.8 * available_memory(), "memory", resources, console)
    networks = [spec for spec in unfinished.values() if hasattr(spec.model_class, "gpu_bytes")]
    if resources.device == "cuda" and networks:
        need = max(spec.model_class(**spec.params).gpu_bytes() for spec in networks)
        # Networks leave half of it to the images, which they keep there where there is room
        jobs = min(jobs, _at_once(need, 0.5 * available_gpu_memory(), "GPU memory", resources, console))
    return jobs


def _at_once(need, free, what, resources, console):
    """How many fold fits that need so many bytes go into the free ones; it is said where that is fewer than wanted."""
    jobs = max(1, int(free // max(need, 1)))
    text = f"a fold fit needs up to {need / 1e9:.1f} GB of {what}, {free / 1e9:.1f} GB may be used: "
    if jobs < resources.n_jobs:
        console.say(f"{text}{jobs} at once")
    else:
        console.detail(f"{text}enough for {resources.n_jobs} at once")
    return jobs


def size_seen(spec):
    """Size of the images that a model looks at, as `pixels.side` reads it; None where it is given features."""
    return str(spec.params.get("size")) if spec.model_class.takes_images else None


def fit_memory(spec, n):
    """Rough bytes a fold fit on `n` training items needs: its features, what its model says, the interpreter."""
    model = spec.model_class(**spec.params)
    if size_seen(spec):  # which are read batch by batch
        return model.fit_bytes(n, image_array.dimension(size_seen(spec))) + 500_000_000
    d = sum(extractor.n_features() for extractor in spec.extractors)
    return 4 * n * d + model.fit_bytes(n, d) + 500_000_000

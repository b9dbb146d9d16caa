"""The model card: what is in a model folder, for people (Mitchell et al. 2019, "Model cards for model reporting")."""

from ..evaluation.metrics import METRICS


def text(content):
    """The card as Markdown, of the description that `contents` made."""
    data = content["data"]
    parts = [f"# {_plain(content['name'])}", _what(content), _use(content)]
    parts += ["## Trained on", _trained(data, content), "## Scores", _scores(content["scores"])]
    parts += ["## Members", _members(content)] if content["pool"] else []
    parts += [
        "## Limits",
        _limits(content),
        "## Licenses",
        "\n".join(f"- {_plain(one)}" for one in content["licenses"]),
    ]
    parts += ["## Made with", _versions(content)]
    return "\n\n".join(parts) + "\n"


def _what(content):
    count = sum(len(member["fold_models"]) for member in content["members"])
    kind = {
        "stack": f"An ensemble of {len(content['members'])} models, each the mean of its fold models",
        "refit": "One model, trained on everything except the test part",
    }.get(content["kind"], f"The mean of {count} fold models")
    return f"Predicts the age of a face as a probability for each year from 0 to 120. {kind}."


def _use(content):
    how = " as in training" if content["template"] else ""
    return (
        "    ageensemble predict photos/ --model THIS_FOLDER\n\n"
        f"detects, aligns and crops faces{how}. In Python, for faces that are cropped already:\n\n"
        "    from ageensemble import load_model\n"
        '    load_model("THIS_FOLDER").predict(["face.jpg"]).median'
    )


def _trained(data, content):
    folds = "" if content["kind"] == "refit" else f" in {data['folds']} folds"
    test = f"{data['test_items']:,}" if data["test_items"] else "none"
    return (
        f"{_plain(data['data'])}: {data['training_items']:,} images{folds}, {test} in the test part. "
        f"{''.join(f'{_plain(one)} ' for one in data['chosen'])}"
        f"Split {data['split']}, dataset {data['dataset']}, run {_plain(content['run'])}."
    )


def _scores(scores):
    if not scores.get("age_groups"):
        return "None: the labels match no known scheme of age groups."
    parts = [part for part in ("test", "oof") if part in scores]
    if not parts:
        return "None: it was trained on every image, so none is left to evaluate it on."
    titles = {"test": "test part", "oof": "out-of-fold"}
    lines = ["| | " + " | ".join(titles[part] for part in parts) + " |", "| --- " * (1 + len(parts)) + "|"]
    for name in dict.fromkeys(name for part in parts for name in scores[part]):
        metric = METRICS.load(name)
        values = [_value(metric, scores[part][name]) if name in scores[part] else "" for part in parts]
        lines.append("| " + " | ".join([metric.title, *values]) + " |")
    return "\n".join(lines) + f"\n\nWith 95 % intervals; age groups: {scores['age_groups']}."


def _value(metric, estimate):
    value, low, high = map(metric.format.format, estimate)
    return f"{value} ({low} to {high})"


def _members(content):
    weights = zip(content["members"], content["pool"]["weights"], strict=True)
    return "\n".join(f"- {_plain(member['name'])}: weight {weight:.2f}" for member, weight in weights)


def _limits(content):
    calibrated = (
        "Prediction intervals are calibrated out-of-fold for each age group, on faces cropped as in training; their "
        "coverage on faces that are detected and cropped anew has not been measured."
        if content["intervals"]
        else "There are no out-of-fold predictions, so prediction intervals are uncalibrated model quantiles."
    )
    return (
        f"The scores hold for images like those above. Apparent age is not proof of age. {calibrated} Errors "
        "differ by age, gender and ethnicity; `ageensemble results --by gender` on the runs says how much."
    )


def _versions(content):
    versions = {name: number for member in content["members"] for name, number in member["versions"].items()}
    return ", ".join(f"{name} {number}" for name, number in versions.items()) + "."


def _plain(value):
    """Text that neither Markdown nor a terminal takes for anything else."""
    return "".join(c if c.isprintable() else "?" for c in str(value)).replace("<", "&lt;").replace("|", "/")

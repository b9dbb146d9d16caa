"""Networks in ONNX files, run by onnxruntime, an optional extra."""

import functools

import numpy as np

from ...errors import DataError, UsageError
from .weights import first_line

KINDS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class Graph:
    """A network that takes images and returns a row of numbers for each.

    Attributes
    ----------
    size : int
        side in pixels that the graph insists on, 0 where it leaves that open
    batch : int
        images at a time that it insists on, 0 where it leaves that open
    dimension : int
        numbers in a row, 0 where the graph does not say

    Raises
    ------
    DataError
        Not an ONNX graph, or one with another kind of input or output.
    UsageError
        No such output.
    """

    def __init__(self, file, output, device):
        self.file, self.session = file, _session(file, device)
        inputs = self.session.get_inputs()
        if len(inputs) != 1:
            raise self._wrong(f"has {len(inputs)} inputs ({', '.join(i.name for i in inputs)})")
        shape, self.input, self.kind = inputs[0].shape, inputs[0].name, KINDS.get(inputs[0].type)
        if not self.kind or len(shape) != 4 or (isinstance(shape[1], int) and shape[1] != 3):
            raise self._wrong(f"takes {inputs[0].type} of shape {_text(shape)}")
        batch, _, height, width = (n if isinstance(n, int) and n > 0 else 0 for n in shape)
        if height != width:
            raise self._wrong(f"takes images {height or 'any'} high and {width or 'any'} wide")
        self.batch, self.size = batch, height
        self.output, shape = self._chosen(output)
        self.dimension = shape[1] if len(shape) == 2 and isinstance(shape[1], int) else 0

    def _wrong(self, what):
        right = "one input of numbers with a fraction, (n, 3, side, side), channels first"
        return DataError(f"{self.file} {what}; what can be used has {right}")

    def _chosen(self, wanted):
        """Name and shape of the output asked for, or of the first with a row for each image."""
        shapes = {out.name: out.shape for out in self.session.get_outputs()}
        listed = ", ".join(f"{name} {_text(shape)}" for name, shape in shapes.items())
        if wanted and wanted not in shapes:
            raise UsageError(f"{self.file} has no output '{wanted}'; it has: {listed}")
        rows = [wanted] if wanted else [name for name, shape in shapes.items() if len(shape) == 2]
        if not rows:
            raise DataError(
                f"{self.file} has no output of two dimensions; choose one with embedding.output=NAME: {listed}"
            )
        return rows[0], shapes[rows[0]]

    def __call__(self, images):
        """Rows `(n, d)` float32 of prepared images `(n, 3, side, side)` float32."""
        step = self.batch or len(images)
        return np.concatenate([self._rows(images[start : start + step]) for start in range(0, len(images), step)])

    def _rows(self, images):
        n = len(images)
        if n < self.batch:  # the last few of a graph that takes so many at a time and no fewer
            images = np.concatenate([images, np.repeat(images[-1:], self.batch - n, 0)])
        try:
            [rows] = self.session.run([self.output], {self.input: images.astype(self.kind)})
        except Exception as error:  # onnxruntime's own, which have no common base
            raise DataError(f"{self.file} does not run: {first_line(error)}") from error
        if rows.shape[:1] != (len(images),):
            raise DataError(f"{self.file} returns shape {_text(rows.shape)}, not a row for each of {len(images)}")
        return rows[:n].reshape(n, -1).astype(np.float32)


def _text(shape):
    return f"({', '.join(str(n or '?') for n in shape)})"


def _session(file, device):
    try:
        import onnxruntime
    except ImportError:
        raise UsageError("an ONNX file needs onnxruntime: pip install 'ageensemble[onnx]'") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # several batches run at once
    options.log_severity_level = 3
    wanted = ["CUDAExecutionProvider"] if device == "cuda" else []
    here = [name for name in wanted if name in onnxruntime.get_available_providers()]
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=[*here, "CPUExecutionProvider"])
    except Exception as error:
        raise DataError(f"{file} is no ONNX network that onnxruntime can run: {first_line(error)}") from error


@functools.lru_cache(maxsize=4)
def graph(file, content, output, device):
    """The `Graph` in a file, opened once; `content`, its hash, so that another file under its name is another."""
    return Graph(file, output, device)

"""For tests of finding faces: a network of YuNet's kind that a reader can follow, and faces in larger pictures."""

import numpy as np
from PIL import Image

from ageensemble.data.faces import Face, Template

POINTS = np.array([(0.25, 0.25), (0.75, 0.25), (0.5, 0.5), (0.25, 0.75), (0.75, 0.75)])  # in the box of a red face


def red_yunet(file):
    """Write a network with YuNet's inputs and outputs, to which every red block of 32 x 32 pixels is a face.

    It looks at blocks that lie side by side from the corner of the picture; the landmarks are at `POINTS` of the block.
    """
    nodes, start, outputs = b"", b"", b""
    for stride in (8, 16, 32):
        red = np.zeros((1, 3, stride, stride), np.float32)
        red[0, 2] = (stride == 32) / stride**2 / 255  # the mean of the third color: OpenCV has blue first
        for name, weights, bias in (
            ("cls", red, [0]),
            ("obj", red, [0]),
            ("bbox", np.repeat(0 * red, 4, 0), [0.5, 0.5, 0, 0]),  # middle, and logarithms of the sizes, in blocks
            ("kps", np.repeat(0 * red, 10, 0), POINTS.ravel()),
        ):
            name = f"{name}_{stride}"
            start += _constant(f"{name}.w", weights) + _constant(f"{name}.b", np.array(bias, np.float32))
            start += _constant(f"{name}.s", np.array([1, -1, len(bias)]))
            sides = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
            nodes += _node("Conv", ["input", f"{name}.w", f"{name}.b"], f"{name}.c", sides)
            nodes += _node("Transpose", [f"{name}.c"], f"{name}.t", {"perm": [0, 2, 3, 1]})
            nodes += _node("Reshape", [f"{name}.t", f"{name}.s"], name, {})
            outputs += _field(12, _tensor(name, [1, "n", len(bias)]))
    graph = nodes + _field(2, "red") + start + _field(11, _tensor("input", [1, 3, "h", "w"])) + outputs
    file.write_bytes(_field(1, 8) + _field(8, _field(2, 13)) + _field(7, graph))
    return file


def _varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + _varint(n >> 7)


def _field(number, value):
    """One field of a protocol buffer, by the numbers in onnx.proto."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _tensor(name, shape):
    dims = b"".join(_field(1, _field(1 if isinstance(n, int) else 2, n)) for n in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, dims)))


def _constant(name, values):
    dims = b"".join(_field(1, n) for n in values.shape)
    kind = {"f": 1, "i": 7}[values.dtype.kind]
    return _field(5, dims + _field(2, kind) + _field(8, name) + _field(9, values.tobytes()))


def _node(kind, sources, result, attributes):
    content = b"".join(_field(1, source) for source in sources) + _field(2, result) + _field(4, kind)
    for name, numbers in attributes.items():
        content += _field(5, _field(1, name) + b"".join(_field(8, n) for n in numbers) + _field(20, 7))
    return _field(1, content)


def black(height, width, *red):
    """A black picture with red squares, each given as x, y, side."""
    picture = np.zeros((height, width, 3), np.uint8)
    for x, y, side in red:
        picture[y : y + side, x : x + side, 0] = 255
    return picture


def template(shape=(80, 80), landmarks=POINTS, box=(0.2, 0.2, 0.6, 0.6)):
    named = {"name": "by hand", "key": "hand-1"}
    return Template(shape, np.array(box, float), None if landmarks is None else np.array(landmarks, float), named, 1, 1)


def pasted(picture, scale, degrees, corner, size=(500, 600)):
    """A picture scaled, turned clockwise and put into a larger one, and the `Face` whose landmarks are at `POINTS`.

    Parameters
    ----------
    picture : (h, w, 3) uint8 array
    scale : float
    degrees : float
    corner : (float, float)
        x, y of the picture's own corner in the larger one, which may lie outside
    size : (int, int)
        height and width of the larger one
    """
    onto, place = scale * np.exp(1j * np.radians(degrees)), complex(*corner)
    back, shift = 1 / onto, -place / onto
    gray = np.linspace(60, 190, size[0] * size[1]).reshape(size)[..., None].repeat(3, 2).astype(np.uint8)
    coefficients = (back.real, -back.imag, shift.real, back.imag, back.real, shift.imag)
    small = max(1, int(np.ceil(1 / scale)))  # a reduced picture is averaged, as a camera does
    wide = tuple(c / small if i % 3 < 2 else c for i, c in enumerate(coefficients))
    layers = []
    for layer in (picture, np.full_like(picture, 255)):
        layer = Image.fromarray(layer).transform(
            (size[1] * small, size[0] * small), Image.Transform.AFFINE, wide, Image.Resampling.BICUBIC
        )
        layers.append(layer.reduce(small))
    whole = Image.composite(layers[0], Image.fromarray(gray), layers[1].convert("L"))
    height, width = picture.shape[:2]
    points = (POINTS * (width, height)) @ [1, 1j] * onto + place
    middle = (width + 1j * height) / 2 * onto + place
    w, h = 0.6 * width * scale, 0.6 * height * scale
    box = (middle.real - w / 2, middle.imag - h / 2, w, h)
    return np.asarray(whole), Face(box, 0.9, np.stack([points.real, points.imag], 1))

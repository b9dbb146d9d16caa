"""Tiny ONNX files, written byte by byte so that no package is needed."""


def field(number, value):
    """One field of a protocol buffer: a whole number, or bytes, or text."""
    if isinstance(value, int):
        return bytes([number << 3]) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def tensor(name, shape, kind=1):
    """A named input or output: whole numbers for fixed dimensions, text for free ones; kind 1 is float, 2 uint8."""
    dims = b"".join(field(1, field(1 if isinstance(n, int) else 2, n)) for n in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, dims)))


def node(kind, source, result):
    return field(1, field(1, source) + field(2, result) + field(4, kind))


POOL = node("GlobalAveragePool", "x", "map") + node("Flatten", "map", "rows")
ROWS = [tensor("rows", ["n", 3])]


def onnx(file, nodes=POOL, inputs=(("x", ["n", 3, 8, 8]),), outputs=ROWS):
    """Write a network; by default the mean of each color."""
    graph = nodes + field(2, "tiny") + b"".join(field(11, tensor(*i)) for i in inputs)
    graph += b"".join(field(12, out) for out in outputs)
    file.write_bytes(field(1, 8) + field(8, field(2, 13)) + field(7, graph))
    return file

"""Videos through OpenCV: frames of a camera or a file, and a file of frames."""

import os
from contextlib import contextmanager
from pathlib import Path

from ...data.image_io import MOST_PIXELS
from ...errors import DataError, DiskError, UsageError

CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
USUAL_RATE = 25.0  # frames a second, where a video says none that could be


def opencv():
    """OpenCV's module, silent on the error stream: what goes wrong is said by us.

    Raises
    ------
    UsageError
        It is missing.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        import cv2
    except ImportError as error:
        raise UsageError("cameras and videos need OpenCV: pip install 'ageensemble[faces]'") from error
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


class Source:
    """Frames of a camera or a video file; iterated, it yields `(h, w, 3)` uint8 arrays, blue first, of one size.

    Parameters
    ----------
    which : str
        number of a camera, or path of a file

    Attributes
    ----------
    camera : bool
    rate : float
        frames a second
    size : (int, int)
        width and height, pixels
    frames : int
        how many a file says that it has; 0 where that is not known
    read : int
        frames read so far

    Raises
    ------
    DataError
        No such camera or file, or one that gives no frames.
    """

    def __init__(self, which):
        cv2 = opencv()
        self.camera = which.isascii() and which.isdigit() and len(which) < 5
        self._name = f"camera {which}" if self.camera else which
        if not self.camera and not os.path.isfile(which):
            raise DataError(f"no video at {which}; --source takes a video file, or the number of a camera, such as 0")
        self._capture = cv2.VideoCapture(int(which)) if self.camera else _file(which)
        self.rate, count = (self._capture.get(kind) for kind in (cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_COUNT))
        self.rate = self.rate if 1 <= self.rate <= 240 else USUAL_RATE
        self.frames, self.read = int(count) if not self.camera and 0 < count < 1e9 else 0, 0
        width, height = (self._capture.get(kind) for kind in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if width * height > MOST_PIXELS:
            self.close()
            raise DataError(f"{self._name} has frames of {width:.0f} x {height:.0f} pixels, which is too large")
        self._first = self._next()
        if self._first is None:
            self.close()
            hint = "is one connected, free, and this program allowed to use it? " if self.camera else ""
            what = "--source FILE takes a video file" if self.camera else "it is damaged or no video"
            raise DataError(f"Cannot read from {self._name}; {hint}{what}")
        self.size = self._first.shape[1::-1]

    def _next(self):
        there, frame = self._capture.read()
        return frame if there else None

    def __iter__(self):
        frame = self._first
        while frame is not None:
            if frame.shape[1::-1] != self.size:  # some videos change in the middle; a file cannot be written so
                frame = opencv().resize(frame, self.size)
            self.read += 1
            yield frame
            frame = self._next()

    @property
    def cut_short(self):
        """Whether the file ended long before what it says."""
        return self.read < 0.95 * self.frames - 2

    def close(self):
        """Let go of the camera or the file."""
        self._capture.release()


def _file(file):
    """A file, open; by FFmpeg where OpenCV has it, since others of its readers print what they find amiss."""
    cv2 = opencv()
    ffmpeg = cv2.CAP_FFMPEG in cv2.videoio_registry.getStreamBackends()
    return cv2.VideoCapture(os.path.abspath(file), cv2.CAP_FFMPEG if ffmpeg else cv2.CAP_ANY)


def refuse(out, source, model):
    """Refuse a place that no video can be written to, or none should: the model folder would not load any more.

    Raises
    ------
    UsageError
        Another ending than those known, a folder, the very file that is read, or a place in the model folder.
    """
    if Path(model).resolve() in Path(out).resolve().parents:
        raise UsageError(f"--out {out} lies in the model folder; give another place")
    if out.suffix.lower() not in CODECS or out.is_dir():
        raise UsageError(f"--out {out} should be a video file that ends in {' or '.join(CODECS)}")
    if out.exists() and os.path.exists(source) and os.path.samefile(out, source):
        raise UsageError(f"--out {out} is the video that is read; give another name")


@contextmanager
def written(out, rate, size):
    """A function that adds a frame to a video file, which is there, whole, when the block ends without an exception.

    Parameters
    ----------
    out : pathlib.Path
        ending as in `CODECS`
    rate : float
        frames a second
    size : (int, int)
        width and height of the frames, pixels

    Raises
    ------
    DiskError
        It could not be written.
    """
    cv2, out = opencv(), Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{out.stem}.{os.getpid()}.tmp{out.suffix}")
    writer = cv2.VideoWriter(str(temporary), cv2.VideoWriter_fourcc(*CODECS[out.suffix.lower()]), rate, size)
    count = 0

    def write(frame):
        nonlocal count
        writer.write(frame)
        count += 1

    try:
        if not writer.isOpened():
            raise DiskError(f"{out} cannot be written: OpenCV lacks its codec, or the folder is read-only")
        yield write
        writer.release()
        if count and _count(temporary) < count - 1:  # OpenCV does not say that a disk was full
            raise DiskError(f"{out} could not be written whole; is the disk full?")
        os.replace(temporary, out)
    finally:
        writer.release()
        temporary.unlink(missing_ok=True)


def _count(file):
    capture = _file(file)
    count = capture.get(opencv().CAP_PROP_FRAME_COUNT)
    capture.release()
    return count

"""Faces in front of a camera, or in a video file, with their ages on them.

    frames -> faces in each -> followed from frame to frame -> age of each, smoothed -> drawn -> window, video file

video.py     reading a camera or a file, writing a file; OpenCV
tracks.py    which face is which, and its age over time
watching.py  finding faces and asking the model, at once or, for what happens now, beside the picture
drawing.py   boxes and ages on a frame
window.py    the window and its keys
loop.py      frame by frame
"""

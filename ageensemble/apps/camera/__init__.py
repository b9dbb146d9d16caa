"""Faces in front of a camera, or in a video file, with their ages on them.

    frames -> faces in each -> tracked from frame to frame -> age of each, smoothed -> drawn -> window, video file

video.py       reading a camera or a file, writing a file; OpenCV
tracker.py     which face is which, and its age over time
recognizer.py  detecting faces and predicting ages, for each frame or, live, in the background
drawing.py     boxes and ages on a frame
window.py      the window and its keys
loop.py        frame by frame
"""

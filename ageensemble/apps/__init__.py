"""What people start: the command line, the local web page, the camera."""

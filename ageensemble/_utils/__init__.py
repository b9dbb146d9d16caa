"""What knows nothing of ages or faces: files, processes, the console, plug-ins."""

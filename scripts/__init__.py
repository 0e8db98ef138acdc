"""Programs that write files of this repository and of its releases."""

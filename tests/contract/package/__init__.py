"""What is handed out: the package, its catalog, its definitions."""

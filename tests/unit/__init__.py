"""Tests of one module each, without HTTP and without the command line."""

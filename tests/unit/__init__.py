"""Tests of single modules, without HTTP and without the command line."""

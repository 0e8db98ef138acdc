"""How lists are read and resumed, without HTTP and the SDK."""

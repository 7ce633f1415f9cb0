"""One suite, run on the sandbox and on a real Docker engine: what holds on one must hold on the other."""

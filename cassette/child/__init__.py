"""The child process of `cassette run`: its environment, its hook and its end.

The tape is in the parent, behind an HTTP server on loopback. A child finds it by an environment
variable that SDKs read (`environment`). Python children also have a hook (`hook/`): it reaches
clients that ignore the variable, and skips the sleeps of waiters. `process` starts the child,
passes signals on to it, and gives its exit code.

`hook/` is the first folder of the child's PYTHONPATH, so it holds `sitecustomize.py` and nothing
else: another module in it would hide one of the child's.
"""

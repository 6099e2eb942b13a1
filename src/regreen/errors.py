"""The exceptions of regreen, drawn as a tree.

    RegreenError
    ├── InputError            what the user gave cannot be used            exit code 2
    │   ├── MissingDataError  a benchmark's files are not to be found
    │   ├── RunLockedError    another process writes to this run directory
    │   └── TierError         this machine cannot isolate programs as asked
    └── InfrastructureError   a judge or a model failed, not the program   exit code 3

Every message is one line: what happened, what was expected, what to type next.
"""


class RegreenError(Exception):
    """The root of every exception that regreen raises on purpose."""

    exit_code = 1


class InputError(RegreenError):
    """What the user gave cannot be used: a file, a field, an option."""

    exit_code = 2


class MissingDataError(InputError):
    """A benchmark's files were found neither in ``--data``, ``$REGREEN_DATA`` nor on the hub."""


class RunLockedError(InputError):
    """Another process writes to this run directory."""


class TierError(InputError):
    """This machine cannot isolate programs as strongly as was asked."""


class InfrastructureError(RegreenError):
    """A judge or a model broke down, or a disk is full; the program is not to blame, and the same call goes on."""

    exit_code = 3

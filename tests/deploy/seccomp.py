"""Puts a system call filter in force and becomes another program: `seccomp.py FILTER PROGRAM ARGUMENT…`.

FILTER is a JSON file: `calls`, the names that are allowed, and `families`, the address families of sockets.
It does what systemd does for SystemCallFilter=, RestrictAddressFamilies=, MemoryDenyWriteExecute= and, by an
answer to clone3 that makes programs fall back, RestrictNamespaces=. Imports nothing of the project: it runs
where only the program itself is to be tried.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import socket
import sys
from pathlib import Path

ALLOW = 0x7FFF0000
EQUAL = 4
PR_SET_MDWE = 65
MDWE_REFUSE_EXEC_GAIN = 1


class Comparison(ctypes.Structure):
    """libseccomp's scmp_arg_cmp."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    )


def refuse(number: int) -> int:
    """Return the action that answers a call with an error."""
    return 0x00050000 | number


def confine(calls: list[str], families: list[str]) -> None:
    """Put the filter in force for this process, and all that it becomes and starts."""
    seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(refuse(errno.EPERM)))
    clone3 = seccomp.seccomp_syscall_resolve_name(b"clone3")
    seccomp.seccomp_rule_add(context, refuse(errno.ENOSYS), clone3, 0)
    for name in calls:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if name not in ("clone3", "socket"):  # what this processor has not is no number, and no rule
            seccomp.seccomp_rule_add(context, ALLOW, number, 0)
    number = seccomp.seccomp_syscall_resolve_name(b"socket")
    for family in families:
        is_family = Comparison(0, EQUAL, getattr(socket, family), 0)
        seccomp.seccomp_rule_add_array(context, ALLOW, number, 1, ctypes.byref(is_family))
    libc = ctypes.CDLL(None, use_errno=True)
    # Before Linux 6.3 the kernel does not know it, and systemd has another filter for it.
    libc.prctl(PR_SET_MDWE, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)
    if loaded := seccomp.seccomp_load(context):
        raise OSError(-loaded, "seccomp_load")


if __name__ == "__main__":
    confine(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell is what we want

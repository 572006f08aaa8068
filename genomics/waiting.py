"""Wait, in a child process that was started ahead of its job, for the job."""

import os
import socket


def wait_for_job() -> bool:
    """Return whether a job came over standard input, a socket, before it was closed.

    Then standard input is the job, standard error what came with it, and the current
    directory the private one, whose lock is held by a descriptor that stays open.
    """
    with socket.socket(fileno=os.dup(0)) as ours:
        _, received, _, _ = socket.recv_fds(ours, 1, 3)
        if len(received) != 3:
            return False
        ours.send(b"t")  # Taken: a parent that hears nothing does not wait for us.
    directory, job, stderr = received
    os.fchdir(directory)
    for source, target in ((job, 0), (stderr, 2)):
        os.dup2(source, target)
        os.close(source)
    return True

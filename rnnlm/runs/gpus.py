"""Which GPU each process of a run computes on."""

import platform

from rnnlm.compute.cuda import device_by_name
from rnnlm.compute.processes import processes
from rnnlm.errors import counted


def own_device(name):
    """The Device of ``--device``: each process of a host takes the next GPU."""
    return device_by_name(name, processes().rank_on_host if processes().size > 1 else None)


def note_on_gpus(device):
    """A line where processes have to share a GPU; None if they need not.

    All of them ask, each with its Device.
    """
    if not device.identity:
        return None
    gpus = set(processes().each((platform.node(), device.identity)))
    if len(gpus) == processes().size:
        return None
    return (f"{processes().size} processes share {counted(len(gpus), 'GPU')}, where they compute in turns: start one "
            "process for each GPU")

"""The layers for a GPU: the same results, from arrays and kernels of a device."""

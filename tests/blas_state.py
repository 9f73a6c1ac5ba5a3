"""What BLAS is set to, as anybody sees it."""

from threadpoolctl import threadpool_info


def blas_now():
    """The threads of each BLAS library of the process."""
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

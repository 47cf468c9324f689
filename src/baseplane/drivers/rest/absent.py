"""No REST server at all, as on a machine that PostgREST is not made for."""

from baseplane.drivers.rest import NOT_INSTALLED, Lease, Prepare, RestFailed, RestSpec


class NoRest:
    def version(self) -> str | None:
        return None

    async def lease(self, spec: RestSpec, prepare: Prepare) -> Lease:  # noqa: ARG002
        raise RestFailed(
            "There is no Data API here: PostgREST is not installed on this machine. `baseplane doctor` says how to get it.",
            code=NOT_INSTALLED,
        )

    async def stop(self, ref: str) -> None:
        pass

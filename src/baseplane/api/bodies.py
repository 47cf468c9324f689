"""Bodies: the contract's schemas as pydantic models, named exactly as there."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """A request or response body. Fields that the contract does not name are ignored, as on the hosted platform."""

    model_config = ConfigDict(frozen=True, strict=False)


class ClosedBody(Body):
    """A request body that the contract closes: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid")

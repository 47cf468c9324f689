from typing import Annotated

from pydantic import Field

from baseplane.api.bodies import Body, Text, at_most

Names = Annotated[Text, at_most(10_000)]
"""Names of schemas, joined by commas."""


class V1PostgrestConfigResponse(Body):
    db_schema: str
    max_rows: int
    db_extra_search_path: str
    db_pool: int | None


class PostgrestConfigWithJWTSecretResponse(V1PostgrestConfigResponse):
    jwt_secret: str = ""


class V1UpdatePostgrestConfigBody(Body):
    """What is not sent stays."""

    db_extra_search_path: Names = ""
    db_schema: Names = ""
    max_rows: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    db_pool: Annotated[int, Field(ge=0, le=1000)] = 0

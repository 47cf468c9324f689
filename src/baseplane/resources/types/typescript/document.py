"""The whole file: what a client of a project imports as its types."""

import re
from pathlib import Path

from baseplane.resources.types.catalog import Catalog, Type
from baseplane.resources.types.collation import key as order
from baseplane.resources.types.typescript.functions import Functions
from baseplane.resources.types.typescript.layout import Node, Object, Text, Tuple
from baseplane.resources.types.typescript.names import key, literal
from baseplane.resources.types.typescript.relations import Member, Relations, by_relation
from baseplane.resources.types.typescript.types import TABLES, VIEWS, Types, nullable, one_of

POSTGREST_VERSION = "12.0.2"
"""Of the PostgREST that serves projects; a client chooses by it what it may send."""
NOTHING = [("[_ in never]", Text("never"))]
FRAME = re.split("«[A-Z_]*»", Path(__file__).with_name("frame.ts").read_text("utf-8"))
"""What is the same in every file: before the version, the schemas and the constants, and behind these."""


def document(catalog: Catalog) -> str:
    types = Types(catalog)
    columns = by_relation(catalog.columns)
    functions = Functions(catalog, types, columns)
    relations = Relations(catalog, types, columns, functions)
    named = sorted(catalog.types, key=lambda type_: (order(type_.name), type_.oid))
    schemas: list[Member] = []
    constants: list[Member] = []
    for schema in sorted((schema.name for schema in catalog.schemas), key=order):
        own = [type_ for type_ in named if type_.schema == schema]
        sections = {
            "Tables": relations.section(schema, TABLES),
            "Views": relations.section(schema, VIEWS),
            "Functions": functions.section(schema),
            "Enums": [(key(enum.name), one_of(_labels(enum))) for enum in own if enum.labels],
            "CompositeTypes": [(key(one.name), _composite(one, types)) for one in own if one.attribute_names],
        }
        schemas.append((key(schema), Object([(name, Object(has or NOTHING)) for name, has in sections.items()])))
        enums = Object([(key(enum.name), Tuple(_labels(enum))) for enum in own if enum.labels], ends=",")
        constants.append((key(schema), Object([("Enums", enums)], ends=",")))
    return _frame(schemas, Object(constants, ends=","))


def _frame(schemas: list[Member], constants: Node) -> str:
    head, before_schemas, behind_schemas, end = FRAME
    contents = Object(schemas).text(0, 0).removeprefix("{").removesuffix("}").rstrip("\n")
    return "".join([head, POSTGREST_VERSION, before_schemas, contents, behind_schemas, constants.text(0, 0), end])


def _labels(enum: Type) -> list[Node]:
    return [Text(literal(label)) for label in enum.labels]


def _composite(composite: Type, types: Types) -> Node:
    attributes = zip(composite.attribute_names, composite.attribute_types, strict=True)
    return Object([(key(name), nullable(types.of(oid))) for name, oid in attributes])

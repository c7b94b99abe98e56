"""PostgreSQL through psycopg 3, with a pool of connections."""

from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from serving.settings import PoolSize

CONNECT_SECONDS = 5
KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 5, "keepalives_count": 3}  # a dead peer is noticed in 45 s


def postgres_engine(url: URL, size: PoolSize, *, read_only: bool = False) -> AsyncEngine:
    """Connects when it is first used; raises ImportError without the driver."""
    options = "-c timezone=UTC -c default_transaction_read_only=on" if read_only else "-c timezone=UTC"
    return create_async_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=size.kept,
        max_overflow=size.overflow,
        pool_timeout=size.wait_seconds,
        pool_recycle=size.recycle_seconds,
        hide_parameters=True,  # an error's text, which is logged, would hold titles and findings
        pool_pre_ping=True,  # 0.3-0.5 ms, and a restart of the server is no failed request
        connect_args={"connect_timeout": CONNECT_SECONDS, "options": options, **KEEPALIVE},
    )


def libpq_url(url: str) -> str:
    """The address as psycopg itself reads it, without the name of the driver."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"

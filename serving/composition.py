"""What several processes put together alike."""

from serving.adapters.sql_trail import SqlTrail
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores
from serving.answers import Answers
from serving.briefs import Briefs
from serving.ports.storage import BlobStore, Cache


def answers_of(stores: Stores, blobs: BlobStore, cache: Cache, *, shared: bool) -> Answers:
    """`shared`: the cache is one for all processes."""
    briefs = Briefs(stores.jobs, blobs, SqlServedVersions(stores.database), SqlTrail(stores.database))
    return Answers(stores.jobs, blobs, stores.feedback, cache, briefs, shared=shared)

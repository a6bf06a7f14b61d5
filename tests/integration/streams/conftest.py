import asyncio, os, sys
import pytest
sys.path.insert(0, "/tmp/x")
from prov import provision, kafka as mk
@pytest.fixture
def log(request):
    k = mk(f"k{os.getpid()}-{abs(hash(request.node.name))%10000}.", session_timeout_ms=3000)
    asyncio.run(provision(k))
    return k

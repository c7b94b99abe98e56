"""A machine's managed identity as the way into the blob store: Azurite over TLS takes tokens as Azure does.

Azurite looks at what a token claims and not at its signature.
"""

import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from serving.adapters.blob_stores import open_blobs
from serving.errors import BlobStoreUnusable
from serving.settings import ServingSettings
from tests.azurite_server import Azurite, azurite_server

TENANT = "8f5e3a0c-0000-4000-8000-000000000000"
HEADER = "of-this-machine"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for loopback, signed by itself, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, secret


class IdentityEndpoint(BaseHTTPRequestHandler):
    """What a platform offers to the machines it runs."""

    audience = "https://storage.azure.com"

    def do_GET(self) -> None:
        now = int(time.time())
        claims = {"aud": self.audience, "iss": f"https://sts.windows.net/{TENANT}/", "iat": now, "nbf": now - 60}
        claims |= {"exp": now + 3600, "oid": TENANT, "tid": TENANT, "sub": TENANT}
        token = jwt.encode(claims, "k" * 32, algorithm="HS256")
        answer = {
            "access_token": token,
            "expires_on": str(now + 3600),
            "resource": self.audience,
            "token_type": "Bearer",
        }
        body = json.dumps(answer).encode()
        self.send_response(200 if self.headers["X-IDENTITY-HEADER"] == HEADER else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class WrongAudience(IdentityEndpoint):
    audience = "https://vault.azure.net"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tls: tuple[Path, Path]) -> Iterator[Azurite]:
    options = ("--oauth", "basic", "--cert", str(tls[0]), "--key", str(tls[1]))
    with azurite_server(tmp_path_factory.mktemp("azurite"), options=options, scheme="https") as server:
        yield server


@pytest.fixture(params=[IdentityEndpoint])
def machine(request: pytest.FixtureRequest, tls: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process runs on a machine with an identity."""
    with HTTPServer(("127.0.0.1", 0), request.param) as endpoint:
        thread = threading.Thread(target=endpoint.serve_forever)
        thread.start()
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{endpoint.server_port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", HEADER)
        monkeypatch.setenv("SSL_CERT_FILE", str(tls[0]))
        # aiohttp makes its own context once, when it is imported.
        context = ssl.create_default_context()
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", context)
        yield
        endpoint.shutdown()
        thread.join(10)


async def test_an_identity_with_the_role_stores_articles(server: Azurite, machine: None) -> None:
    async with open_blobs(ServingSettings(blob_account_url=server.url)) as blobs:
        assert await blobs.get(await blobs.put(b"Experts say so.")) == b"Experts say so."


@pytest.mark.parametrize("machine", [WrongAudience], indirect=True)
async def test_an_identity_that_is_refused_is_told_which_role_it_needs(server: Azurite, machine: None) -> None:
    with pytest.raises(BlobStoreUnusable, match="give this machine's identity the role 'Storage Blob Data Contrib"):
        async with open_blobs(ServingSettings(blob_account_url=server.url)):
            pass

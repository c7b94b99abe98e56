"""An issuer of tokens like Entra ID: a real key, and its public half over HTTP."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

TENANT = "7f1c0a52-0000-4000-8000-000000000001"
APPLICATION = "api://copydesk"
ADA = "11111111-2222-4333-8444-555555555555"


def new_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Issuer:
    """`keys` are what it publishes; `down`, `answering` and `asked` are for tests of outages."""

    authority: str
    keys: dict[str, RSAPrivateKey] = field(default_factory=lambda: {"first": new_key()})
    asked: int = 0
    down: bool = False
    answering: threading.Event = field(default_factory=threading.Event)  # until it is set nobody gets an answer

    @property
    def issuer(self) -> str:
        return f"{self.authority}/{TENANT}/v2.0"

    def claims(self, **changed: Any) -> dict[str, Any]:
        now = int(time.time())
        usual = {
            "iss": self.issuer,
            "aud": APPLICATION,
            "tid": TENANT,
            "oid": ADA,
            "roles": ["editor"],
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
        }
        return {name: value for name, value in (usual | changed).items() if value is not None}

    def token(self, *, kid: str = "first", key: RSAPrivateKey | None = None, **changed: Any) -> str:
        signing = key or self.keys[kid]
        return jwt.encode(self.claims(**changed), signing, "RS256", headers={"kid": kid})

    def public_pem(self, kid: str = "first") -> bytes:
        return (
            self.keys[kid]
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )

    def document(self) -> bytes:
        keys = [
            json.loads(RSAAlgorithm.to_jwk(key.public_key())) | {"kid": kid, "use": "sig"}
            for kid, key in self.keys.items()
        ]
        return json.dumps({"keys": keys}).encode()


@contextmanager
def issuer() -> Iterator[Issuer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked += 1
            made.answering.wait(30)
            found = not made.down and self.path == f"/{TENANT}/discovery/v2.0/keys"
            self.send_response(200 if found else 503)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(made.document() if found else b"{}")

        def log_message(self, format: str, *arguments: object) -> None:
            """Not to standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Issuer(f"http://127.0.0.1:{server.server_port}")
    made.answering.set()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

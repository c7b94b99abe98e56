"""Which addresses may be called: clients name them, and our network must not be theirs to explore. Pure.

Checked when a client names an address, and again for each call with what its name stands for at that moment.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from agent.errors import CopydeskError

MOST_CHARACTERS = 2000
USUAL_PORTS = frozenset({443, 8443})
_PRINTABLE = re.compile(r"[!-~]+")  # RFC 3986 has no other characters
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # as the last label, resolvers read an address in it: 127.1, 0x7f.1
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
# What `is_global` of some Python releases takes for public: the protocols' own (Oracle's metadata), 6to4 relays.
_SPECIAL_4 = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))
# Azure's own service on every virtual machine's network; public by its number alone.
_OF_PLATFORM = frozenset({ipaddress.ip_address("168.63.129.16"), ipaddress.ip_address("fd00:ec2::254")})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class CallbackRefused(CopydeskError):
    """The address may not be called."""

    type = "callback-refused"
    status = 422


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """A receiver that the house has named. With a port it is one of its own: http and private addresses are fine."""

    host: str
    port: int | None

    @classmethod
    def of(cls, text: str) -> "AllowedHost":
        """Raises ValueError."""
        parts = urlsplit(f"//{text}")
        host = _host(parts.hostname or "")
        if not host or parts.path or parts.query or parts.fragment or "@" in text:
            raise ValueError(f"{text!r} is not a host or host:port")
        return cls(host, parts.port)


@dataclass(frozen=True, slots=True)
class Target:
    """A callback address, taken apart."""

    tls: bool
    host: str  # a name, or an address without brackets
    port: int
    path: str  # with its query
    own: bool  # the house has named this host with this port

    def may_reach(self, address: Address) -> bool:
        """Whether a connection may go to what the host stands for."""
        return is_public(address) or (self.own and not _never(address))

    @property
    def address(self) -> Address | None:
        """Where the host is one."""
        return _literal(self.host)

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class CallbackRules:
    """`hosts`: those that may be called; none: any public one."""

    hosts: tuple[AllowedHost, ...] = ()

    def target(self, url: str) -> Target:
        """Raises CallbackRefused, without asking for what a name stands for."""
        if len(url) > MOST_CHARACTERS:
            raise _refused(url, f"it has more than {MOST_CHARACTERS:,} characters")
        if not _PRINTABLE.fullmatch(url) or "\\" in url:
            raise _refused(url, "it has characters that no address has: encode them")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _refused(url, str(error)) from error
        if "@" in parts.netloc or "#" in url:
            raise _refused(url, "it holds a user name or a fragment: leave them out")
        host = _host(parts.hostname or "")
        if not host:
            raise _refused(url, "its host is not a name of the internet or an address")
        target = self._target(url, parts.scheme, host, port, parts.path + (f"?{parts.query}" if parts.query else ""))
        if target.address is not None and not target.may_reach(target.address):
            raise _refused(url, "its host is not a public address")
        return target

    def _target(self, url: str, scheme: str, host: str, given: int | None, path: str) -> Target:
        if scheme not in ("http", "https"):
            raise _refused(url, "only https is called")
        port = given if given is not None else {"https": 443, "http": 80}[scheme]
        own = AllowedHost(host, port) in self.hosts
        if scheme == "http" and not own:
            raise _refused(url, "only https is called")
        if self.hosts and not own and AllowedHost(host, None) not in self.hosts:
            raise _refused(url, f"{host} is not among COPYDESK_CALLBACK_HOSTS")
        if "." not in host and ":" not in host and not own:
            raise _refused(url, "its host is not a name of the internet")
        if port not in USUAL_PORTS and not own:
            raise _refused(url, f"port {port} is not called, only {' and '.join(map(str, sorted(USUAL_PORTS)))}")
        return Target(scheme == "https", host, port, path or "/", own)


def is_public(address: Address) -> bool:
    """Whether an address is one of the whole internet, and of one host there."""
    if isinstance(address, ipaddress.IPv6Address) and (
        address not in _GLOBAL_6 or address.sixtofour is not None or address.teredo is not None
    ):
        return False  # also what stands for an IPv4 address: mapped, compatible, NAT64, 6to4, Teredo
    special = address.is_multicast or address.is_reserved or address in _OF_PLATFORM
    return address.is_global and not special and not any(address in network for network in _SPECIAL_4)


def _never(address: Address) -> bool:
    """Not even where the house has named the host: metadata services give out credentials."""
    inner = _inner(address)
    return inner.is_link_local or inner.is_multicast or inner.is_unspecified or inner in _OF_PLATFORM


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if mapped := address.ipv4_mapped or address.sixtofour:
        return mapped
    embeds = address in ipaddress.IPv6Network("64:ff9b::/96") or address in ipaddress.IPv6Network("::/96")
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if embeds and int(address) > 1 else address


def addresses_of(found: Iterable[str]) -> list[Address]:
    """Of a resolver's answer; an address of one interface only (`fe80::1%eth0`) keeps its place."""
    return [ipaddress.ip_address(text) for text in found]


def _host(text: str) -> str:
    """A name or an address, lower case; empty where it is neither."""
    host = text.lower().removesuffix(".")
    if _literal(host):
        return host
    labels = host.split(".")
    if len(host) > 253 or _NUMBER.fullmatch(labels[-1]):
        return ""
    return host if all(_LABEL.fullmatch(label) for label in labels) else ""


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _refused(url: str, why: str) -> CallbackRefused:
    return CallbackRefused(f"callback_url {url[:200]!r} can't be called: {why}")

"""Addresses that clients name: which may be called, and every way to have us call our own network."""

import ipaddress

import pytest

from serving.callback_rules import AllowedHost, CallbackRefused, CallbackRules, Target, is_public

ANY = CallbackRules()
NAMED = CallbackRules(tuple(map(AllowedHost.of, ("hooks.example.com", "cms:8080", "127.0.0.1:9999", "[::1]:9999"))))


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://hooks.example.com", Target(True, "hooks.example.com", 443, "/", own=False)),
        ("HTTPS://Hooks.Example.COM./a%2Fb?x=1", Target(True, "hooks.example.com", 443, "/a%2Fb?x=1", own=False)),
        ("https://hooks.example.com:8443/x", Target(True, "hooks.example.com", 8443, "/x", own=False)),
        ("https://8.8.8.8/", Target(True, "8.8.8.8", 443, "/", own=False)),
        ("https://[2606:4700::1111]/", Target(True, "2606:4700::1111", 443, "/", own=False)),
        ("https://xn--bcher-kva.example/", Target(True, "xn--bcher-kva.example", 443, "/", own=False)),
    ],
)
def test_a_public_address_may_be_called(url: str, target: Target) -> None:
    assert ANY.target(url) == target


HOSTILE = [
    "http://hooks.example.com/",
    "ftp://hooks.example.com/",
    "file:///etc/passwd",
    "gopher://hooks.example.com/",
    "//hooks.example.com/",
    "hooks.example.com",
    "",
    "https://",
    "https:///x",
    "https://localhost/",
    "https://redis:6379/",
    "https://hooks.example.com:22/",
    "https://hooks.example.com:80/",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:99999/",
    "https://hooks.example.com:x/",
    "https://user@hooks.example.com/",
    "https://user:password@hooks.example.com/",
    "https://hooks.example.com@127.0.0.1/",
    "https://hooks.example.com#@127.0.0.1/",
    "https://hooks.example.com\\@127.0.0.1/",
    "https://hooks.example.com/#fragment",
    "https://hooks.example.com/a b",
    "https://hooks.example.com/\r\nX-Evil: 1",
    "https://hooks.example.com/\x00",
    "https://bücher.example/",
    "https://１２７.0.0.1/",
    "https://ⓔxample.com/",
    "https://hooks..example.com/",
    "https://-hooks.example.com/",
    f"https://{'a' * 64}.example.com/",
    f"https://hooks.example.com/{'a' * 2000}",
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.5/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://192.0.0.192/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://198.18.0.1/",
    "https://[::]/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:53aa:64c:0:0:80ff:fffe]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[::1/",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_an_address_that_may_not_be_called_is_refused(url: str) -> None:
    with pytest.raises(CallbackRefused, match="can't be called: "):
        ANY.target(url)


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("https://hooks.example.com/", True),
        ("http://hooks.example.com/", False),
        ("https://other.example.com/", False),
        ("https://sub.hooks.example.com/", False),
        ("http://cms:8080/", True),
        ("https://cms:8080/", True),
        ("https://cms/", False),
        ("http://127.0.0.1:9999/", True),
        ("http://127.0.0.1:9998/", False),
        ("http://[::1]:9999/", True),
        ("http://2130706433:9999/", False),
    ],
)
def test_where_hosts_are_named_no_other_is_called(url: str, called: bool) -> None:
    if called:
        assert NAMED.target(url)
    else:
        with pytest.raises(CallbackRefused):
            NAMED.target(url)


@pytest.mark.parametrize(
    ("url", "address", "reached"),
    [
        ("https://hooks.example.com/", "8.8.8.8", True),
        ("https://hooks.example.com/", "10.0.0.5", False),
        ("https://hooks.example.com/", "::ffff:10.0.0.5", False),
        ("http://cms:8080/", "10.0.0.5", True),
        ("http://cms:8080/", "127.0.0.1", True),
        ("http://cms:8080/", "fd12::5", True),
        ("http://cms:8080/", "169.254.169.254", False),
        ("http://cms:8080/", "::ffff:169.254.169.254", False),
        ("http://cms:8080/", "64:ff9b::a9fe:a9fe", False),
        ("http://cms:8080/", "168.63.129.16", False),
        ("http://cms:8080/", "fe80::1", False),
        ("http://cms:8080/", "fd00:ec2::254", False),
        ("http://cms:8080/", "0.0.0.0", False),
        ("http://cms:8080/", "224.0.0.1", False),
    ],
)
def test_a_name_of_the_house_s_own_may_be_private_but_no_metadata_service(
    url: str, address: str, reached: bool
) -> None:
    assert NAMED.target(url).may_reach(ipaddress.ip_address(address)) is reached


def test_every_special_network_is_not_public() -> None:
    networks = ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
                "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
                "::/3", "2001::/32", "2001:db8::/32", "2002::/16", "4000::/2", "8000::/1")  # fmt: skip
    for network in map(ipaddress.ip_network, networks):
        assert not is_public(network[0]), network
        assert not is_public(network[-1]), network


@pytest.mark.parametrize(
    "text", ["", "a b", "https://hooks.example.com", "hooks.example.com/x", "u@h", "h:port", "127.1"]
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        AllowedHost.of(text)

"""The hosts to which requests and credentials may be sent."""

from __future__ import annotations

from tests.support.cases import table
from tests.support.configs import problems_of, settings_of

LABEL_63 = "a" * 63

ACCEPTED_SUBDOMAINS = {
    "name": ("acme", "acme"),
    "capitals": ("ACME", "acme"),
    "spaces around": ("  acme ", "acme"),
    "newline after": ("acme\n", "acme"),
    "hyphen within": ("acme-shop", "acme-shop"),
    "digits": ("24-7", "24-7"),
    "one letter": ("a", "a"),
    "63 characters": (LABEL_63, LABEL_63),
    "host": ("acme.gorgias.com", "acme"),
    "host in capitals": ("ACME.gorgias.com", "acme"),
    "address": ("https://acme.gorgias.com", "acme"),
    "address with slash": ("https://acme.gorgias.com/", "acme"),
    "address of a page": ("https://acme.gorgias.com/app", "acme"),
    "address of a ticket": ("https://acme.gorgias.com/app/ticket/12_3-4/", "acme"),
    "address in capitals": ("HTTPS://Acme.Gorgias.Com/App", "acme"),
}

REFUSED_SUBDOMAINS = {
    "empty": "",
    "only spaces": "   ",
    "other host": "evil.com",
    "other host behind": "acme.gorgias.com.evil.com",
    "other host before": "evil.com/acme.gorgias.com",
    "lacks a dot": "acmegorgias.com",
    "two labels": "a.b.gorgias.com",
    "no label": ".gorgias.com",
    "dot at the end": "acme.gorgias.com.",
    "user info": "acme@evil.com",
    "user info in address": "https://user@acme.gorgias.com",
    "password in address": "https://acme:pw@evil.com",
    "fragment": "evil.com#",
    "fragment in address": "https://acme.gorgias.com#x",
    "query": "evil.com?",
    "query in address": "https://acme.gorgias.com/?next=1",
    "hyphen first": "-acme",
    "hyphen last": "acme-",
    "only hyphen": "-",
    "64 characters": "a" * 64,
    "underscore": "ac_me",
    "port": "acme.gorgias.com:443",
    "port behind the name": "acme:443",
    "port in address": "https://acme.gorgias.com:443",
    "plain http": "http://acme.gorgias.com",
    "no scheme": "//acme.gorgias.com",
    "path behind a host": "acme.gorgias.com/app",
    "path behind a name": "acme/x",
    "parent path": "acme/..",
    "parent path in address": "https://acme.gorgias.com/../x",
    "at in the path": "https://acme.gorgias.com/@evil.com",
    "backslash": "acme\\evil.com",
    "backslash in address": "https://acme.gorgias.com\\@evil.com",
    "percent-encoding": "acme%2eevil",
    "percent-encoding in address": "https://acme.gorgias.com/%2e",
    "newline within": "ac\nme",
    "newline in address": "https://acme.gorgias.com/\nx",
    "space within": "ac me",
    "tab within": "ac\tme",
    "null byte": "acme\0",
    "null byte in address": "https://acme.gorgias.com/\0",
    "cyrillic a": "\u0430cme",
    "kelvin sign": "ac\u212ae",
    "long s": "acme\u017f",
    "full-width letters": "\uff41cme",
    "full-width dot": "acme\uff0egorgias\uff0ecom",
    "arabic digit": "acme\u0661",
}

ACCEPTED_API_URLS = {
    "https": ("https://proxy.example", "https://proxy.example"),
    "slash at the end": ("https://proxy.example/", "https://proxy.example"),
    "port": ("https://proxy.example:8443", "https://proxy.example:8443"),
    "path": ("https://proxy.example/a/b/", "https://proxy.example/a/b"),
    "localhost": ("http://localhost:8000", "http://localhost:8000"),
    "localhost in capitals": ("http://LOCALHOST", "http://LOCALHOST"),
    "IPv4 loopback": ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
    "IPv6 loopback": ("http://[::1]:8000", "http://[::1]:8000"),
}

REFUSED_API_URLS = {
    "empty": "",
    "no scheme": "proxy.example",
    "no host": "https://",
    "other scheme": "ftp://proxy.example",
    "http to a private address": "http://10.0.0.1",
    "http to any address": "http://0.0.0.0",
    "http to a host": "http://proxy.example",
    "http in capitals to a host": "HTTP://proxy.example",
    "http to a host like localhost": "http://localhost.evil.com",
    "http to a host like loopback": "http://127.0.0.1.evil.com",
    "http to a number": "http://2130706433",
    "user": "https://ann@proxy.example",
    "user and password": "https://ann:pw@proxy.example",
    "user like loopback": "http://127.0.0.1@evil.com",
    "query": "https://proxy.example?a=1",
    "fragment": "https://proxy.example#a",
    "backslash": "http://localhost\\@evil.com",
    "percent-encoding": "https://proxy.example/%2e%2e",
    "space": "https://proxy.example/ a",
    "newline at the end": "https://proxy.example\n",
    "null byte": "https://proxy.example\0",
    "port out of range": "https://proxy.example:65536",
    "port without digits": "https://proxy.example:",
    "broken IPv6": "https://[::1",
    "not ASCII": "https://pr\u00f6xy.example",
}


@table(ACCEPTED_SUBDOMAINS)
def test_a_subdomain_in_any_common_form_is_accepted(case: tuple[str, str]) -> None:
    """Name, host and address of the helpdesk all mean the same host."""
    given, label = case
    assert settings_of(subdomain=given).api_url == f"https://{label}.gorgias.com"


@table(REFUSED_SUBDOMAINS)
def test_a_subdomain_that_could_lead_elsewhere_is_refused(case: str) -> None:
    """Credentials are sent to this host, so anything unusual is an error."""
    (problem,) = problems_of(subdomain=case)
    assert problem.startswith("Setting `subdomain` must be the name of your helpdesk")


@table(ACCEPTED_API_URLS)
def test_an_api_url_replaces_the_address(case: tuple[str, str]) -> None:
    """Port and path are kept, and a trailing slash is removed."""
    given, address = case
    assert settings_of(api_url=given).api_url == address


@table(REFUSED_API_URLS)
def test_an_unsafe_api_url_is_refused(case: str) -> None:
    """HTTP is allowed for loopback only, and a URL has only a host and a path."""
    (problem,) = problems_of(api_url=case)
    assert problem.startswith("Setting `api_url` must ")

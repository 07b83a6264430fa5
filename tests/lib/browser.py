"""A browser as far as signing in needs one: cookies by host and path, redirects one at a time, forms.  Cookies that are
SameSite=Strict do not go with a request that another site began."""
import html.parser
import http.client
import ssl
import urllib.parse

from stack import Api


class Forms(html.parser.HTMLParser):
    """The first form of a page."""

    def __init__(self):
        super().__init__()
        self.action, self.method, self.fields, self.inside = None, "get", {}, False

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if tag == "form" and self.action is None:
            self.action, self.method, self.inside = a.get("action", ""), a.get("method", "get"), True
        if tag == "input" and self.inside and a.get("name"):
            self.fields[a["name"]] = a.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False


class Page:
    def __init__(self, url, status, headers, body):
        self.url, self.status, self.headers, self.body = url, status, headers, body
        to = headers.get("Location")
        self.location = urllib.parse.urljoin(url, to) if to else None

    def form(self):
        f = Forms()
        f.feed(self.body.decode())
        return f

    def parameter(self, name, part="query"):
        """Of the address that it redirects to."""
        return urllib.parse.parse_qs(getattr(urllib.parse.urlsplit(self.location), part)).get(name, [None])[0]


class Request:
    """What Api.hold() looks at."""

    def __init__(self, method, url, headers, data):
        self.method, self.full_url, self.headers, self.data = method, url, headers, data

    def get_method(self):
        return self.method

    def header_items(self):
        return list(self.headers.items())


class Browser:
    def __init__(self, ca=None, held=()):
        self.cookies = {}  # (host, path, name): (value, strict)
        self.context = ssl.create_default_context(cafile=ca) if ca else None
        self.held = held  # hosts with ports whose answers are held to the API's document

    def keep(self, url, headers):
        for line in headers.get_all("Set-Cookie") or []:
            pair, *rest = [x.strip() for x in line.split(";")]
            name, value = pair.split("=", 1)
            attributes = {k.lower(): v for k, _, v in (x.partition("=") for x in rest)}
            path = attributes.get("path") or url.path.rsplit("/", 1)[0] or "/"
            strict = attributes.get("samesite", "").lower() == "strict"
            gone = attributes.get("max-age", "").startswith("0") or "1970" in attributes.get("expires", "")
            if gone or not value:
                self.cookies.pop((url.hostname, path, name), None)
            else:
                self.cookies[url.hostname, path, name] = (value, strict)

    def cookie(self, url, cross):
        return "; ".join(f"{name}={value}" for (host, path, name), (value, strict) in self.cookies.items()
                         if host == url.hostname and url.path.startswith(path) and not (cross and strict))

    def ask(self, address, method="GET", data=None, headers=None, cross=False):
        url = urllib.parse.urlsplit(address)
        secure = url.scheme == "https"
        c = http.client.HTTPSConnection(url.hostname, url.port, timeout=20, context=self.context) if secure else \
            http.client.HTTPConnection(url.hostname, url.port, timeout=20)
        sent = {"Accept": "text/html,*/*", **(headers or {})}
        cookie = self.cookie(url, cross)
        if cookie:
            sent["Cookie"] = cookie
        target = url.path + (f"?{url.query}" if url.query else "")
        c.request(method, target or "/", body=data, headers=sent)
        r = c.getresponse()
        body = r.read()
        c.close()
        self.keep(url, r.headers)
        if url.netloc in self.held:
            Api.hold(Request(method, address, sent, data), r.status, r.headers, body)
        return Page(address, r.status, r.headers, body)

    def submit(self, page, fill):
        form = page.form()
        data = urllib.parse.urlencode({**form.fields, **{k: v for k, v in fill.items() if k in form.fields}})
        return self.ask(urllib.parse.urljoin(page.url, form.action), form.method.upper(), data,
                        {"Content-Type": "application/x-www-form-urlencoded"})

    def follow(self, page, until, fill=None, most=12):
        """Goes on, over redirects and forms, until a redirect leads to an address that begins so."""
        for _ in range(most):
            if page.location and page.location.startswith(until):
                return page
            if page.location:
                page = self.ask(page.location)
            elif page.status == 200 and page.form().action is not None:
                page = self.submit(page, fill or {})
            else:
                break
        raise AssertionError(f"{page.url}: {page.status} {page.location} {page.body[-900:]}")

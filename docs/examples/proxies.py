"""An application behind a proxy that ends TLS."""

import logging

from kolben import Kolben, request
from kolben.middleware import (
    HTTPSRedirect,
    ProxyFix,
    RequestID,
    RequestIDFilter,
    TrustedHosts,
    request_id,
)

app = Kolben(__name__)

# [stack]
app.add_middleware(HTTPSRedirect, exempt=["/health"])
app.add_middleware(TrustedHosts, hosts=["example.org", ".example.org"])
app.add_middleware(RequestID, trust=True)
app.add_middleware(ProxyFix, x_for=1, x_proto=1)  # added last, so it runs first
# [/stack]


@app.get("/health")
def health():
    return "well"


@app.get("/client")
def client():
    return {"address": request.remote_addr, "url": request.url}


# [logging]
handler = logging.StreamHandler()
handler.addFilter(RequestIDFilter())
handler.setFormatter(logging.Formatter("%(levelname)s [%(request_id)s] %(message)s"))
logging.getLogger().addHandler(handler)


@app.get("/pay")
def pay():
    app.logger.warning("The bank was slow.")  # WARNING [5f0c…] The bank was slow.
    return {"in case of trouble, quote": request_id()}


# [/logging]

"""Pages that a browser is careful with, compressed and in time."""

import asyncio

from kolben import Kolben, render_template_string
from kolben.middleware import GZip, SecurityHeaders, Timeout, csp_nonce

app = Kolben(__name__)

# [timeout]
app.add_middleware(Timeout, seconds=30)
# [/timeout]

# [compress]
app.add_middleware(GZip, minimum_size=1000)
# [/compress]

# [headers]
app.add_middleware(
    SecurityHeaders,
    content_security_policy={
        "default-src": "'self'",
        "img-src": ["'self'", "data:"],
        "script-src": ["'self'", "'nonce'"],
    },
    permissions_policy={"camera": (), "geolocation": ("self",)},
)
# [/headers]


# [nonce]
@app.get("/")
def index():
    return render_template_string('<script nonce="{{ csp_nonce() }}">start()</script>')


@app.get("/made-by-hand")
async def made_by_hand():
    return f'<script nonce="{csp_nonce()}">start()</script>'


# [/nonce]


# [slow]
@app.get("/slow", timeout=0.05)
async def slow():
    try:
        await asyncio.sleep(60)  # is cancelled here
    finally:
        app.logger.info("cleaned up")
    return "nobody waits for this any more"


# [/slow]


@app.get("/table")
def table():
    return "<table>" + "<tr><td>1</td></tr>" * 100 + "</table>"

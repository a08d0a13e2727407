from kolben import Kolben

app = Kolben(__name__)


@app.route("/")
def index():
    app.logger.warning("A warning occurred (%d apples)", 42)
    return "Logged"


@app.route("/async")
async def index_async():
    app.logger.error("An error occurred")
    return "Logged"

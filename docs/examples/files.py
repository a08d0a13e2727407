"""Files that are sent."""

import io

from kolben import Kolben, send_file, send_from_directory

app = Kolben(__name__)


# [file]
@app.get("/report")
def report():
    data = io.BytesIO(b"name,count\nAda,3\n")
    return send_file(data, mimetype="text/csv", as_attachment=True, download_name="Übersicht.csv")


# [/file]


# [directory]
@app.get("/uploads/<path:name>")
async def upload(name):
    return send_from_directory(app.root_path + "/static", name, max_age=3600)


# [/directory]

from pathlib import Path

from kolben import Kolben, redirect, request, send_from_directory, url_for
from kolben.helpers import secure_filename

app = Kolben(__name__)
app.config["UPLOAD_FOLDER"] = "uploads"


@app.route("/upload", methods=["POST"])
def upload():
    file = request.files["file"]
    folder = Path(app.config["UPLOAD_FOLDER"])
    folder.mkdir(exist_ok=True)
    name = secure_filename(file.filename)
    file.save(folder / name)
    return redirect(url_for("download", name=name))


@app.route("/uploads/<name>")
def download(name):
    return send_from_directory(Path(app.config["UPLOAD_FOLDER"]).resolve(), name)


@app.route("/size", methods=["POST"])
async def size():
    return {"size": len(request.files["file"].read())}

from pathlib import Path

from kolben import Kolben, redirect, request, send_from_directory, url_for

app = Kolben(__name__)
app.config["UPLOAD_FOLDER"] = Path("uploads").absolute()


@app.route("/upload", methods=["POST"])
def upload():
    file = request.files["the_file"]
    app.config["UPLOAD_FOLDER"].mkdir(exist_ok=True)
    file.save(app.config["UPLOAD_FOLDER"] / "uploaded_file.txt")
    return redirect(url_for("download"))


@app.route("/download")
def download():
    return send_from_directory(app.config["UPLOAD_FOLDER"], "uploaded_file.txt")


@app.route("/upload-async", methods=["POST"])
async def upload_async():
    file = request.files["the_file"]
    return {"name": file.filename, "size": len(file.read())}

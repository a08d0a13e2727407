from kolben import Kolben

app = Kolben(__name__)


@app.route("/")
def home():
    return "Hello, Kolben!"


if __name__ == "__main__":
    app.run(debug=True)

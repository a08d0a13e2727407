from kolben import Blueprint, Kolben, url_for

auth = Blueprint("auth", __name__)


@auth.route("/login")
def login():
    return "Login page"


@auth.route("/logout")
async def logout():
    return f"Logged out. Again: {url_for('.login')}"


app = Kolben(__name__)
app.register_blueprint(auth)
app.register_blueprint(auth, name="admin_auth", url_prefix="/admin")

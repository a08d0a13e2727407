"""Views as classes."""

from kolben import Kolben, request
from kolben.views import MethodView, View

app = Kolben(__name__)


# [view]
class Greeting(View):
    def __init__(self, word):
        self.word = word

    def dispatch_request(self, name):
        return {"greeting": f"{self.word}, {name}!"}


app.add_url_rule("/hello/<name>", view_func=Greeting.as_view("hello", "Hello"))
app.add_url_rule("/bye/<name>", view_func=Greeting.as_view("bye", "Goodbye"))
# [/view]


# [methods]
class Notes(MethodView):
    init_every_request = False
    notes = ["first"]

    def get(self):
        return self.notes

    async def post(self):
        self.notes.append(request.get_json()["text"])
        return self.notes, 201


app.add_url_rule("/notes", view_func=Notes.as_view("notes"))
# [/methods]

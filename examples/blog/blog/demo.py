"""A few posts to look at, for ``kolben --app blog demo``."""

from __future__ import annotations

AUTHORS = ("margarethe", "otto-s", "ida")

#: Author, title, text and the picture's scene; the oldest post first.
POSTS: list[tuple[str, str, str, str | None]] = [
    (
        "ida",
        "Hello from the third floor",
        "There is a window, a kettle, and now there is this page.",
        None,
    ),
    (
        "margarethe",
        "In praise of the second draft",
        "The first draft is for me. It says what I think, in the order in which I thought it.\n\n"
        "The second one is for you.",
        "forest",
    ),
    (
        "ida",
        "The bus that waits",
        "The driver of the last bus knows who is still missing. Tonight it was me, with one shoe"
        " undone, and he had left the doors open.\n\nNobody aboard looked at a clock.",
        "dusk",
    ),
    (
        "otto-s",
        "A drawer full of stoppers",
        "Cork, rubber, ground glass, and one carved from a champagne bottle in 1987.\n\n"
        "None of them fits anything in the house. I counted forty-one. I keep the drawer because"
        " every second year one of them saves a Sunday.",
        None,
    ),
    (
        "ida",
        "What the valley sounds like at six",
        "Before the first bus there are twenty minutes in which the valley belongs to the"
        " starlings. Then the bakery opens its shutters, and somebody always drops a tray.\n\n"
        "I have begun to write the times down. The tray falls at 6.14, give or take a minute.\n\n"
        "It is the most reliable thing that I know.",
        "dawn",
    ),
    (
        "otto-s",
        "Repairing the green lamp",
        "It took three evenings. On the first one I found the fault, on the second I lost the"
        " screw, on the third I found a better screw.\n\n"
        "The lamp now leans a little to the left, towards the window, as plants do.",
        None,
    ),
    (
        "margarethe",
        "Notes on boiling slowly",
        "The water should tremble, not dance. My grandmother said so of eggs, and my first"
        " professor said so of nearly everything else.\n\n"
        "A slow boil is patience that one can see: small bubbles at the wall, none of them in a"
        " hurry, and a thermometer that has made up its mind.",
        "forest",
    ),
    (
        "margarethe",
        "The long way around the lake",
        "The short way takes an hour and has a kiosk. The long way takes four, and has nothing at"
        " all: reeds, a bench without a back, a boat that nobody has claimed since spring.\n\n"
        "I took it because of a conversation that I did not want to finish. By the second hour it"
        " had finished itself. By the third I had forgotten who was right, and by the fourth the"
        " light lay so flat on the water that it seemed rude to think of anything else.\n\n"
        "Bring bread. There are swans, and they remember.",
        "dusk",
    ),
]

#: The post's title, author and text.
COMMENTS = [
    (
        "The long way around the lake",
        "ida",
        "The bench lost its back in the storm of 2009. I was there, under it.",
    ),
    ("The long way around the lake", "otto-s", "The boat is mine.\n\nI wondered where I left it."),
    ("The bus that waits", "margarethe", "He waited for me on Tuesday. I had forgotten the cake."),
]

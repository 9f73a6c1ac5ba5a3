"""Reads a page of surprisal as a browser does, without one."""

import json
from base64 import b64decode
from html.parser import HTMLParser

import numpy as np

VOID = {"meta"}


class Page(HTMLParser):
    """The elements of a page.

    Attributes
    ----------
    elements : (tag, attributes, the text directly in it, tags around it), in order.
    """

    def __init__(self, html):
        super().__init__()
        self.html, self.elements, self.open = html, [], []
        self.feed(html)
        self.close()
        assert not self.open, "an element is not closed"

    def handle_starttag(self, tag, attrs):
        element = [tag, dict(attrs), "", [around[0] for around in self.open]]
        assert len(element[1]) == len(attrs), "an attribute is there twice"
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append([tag, dict(attrs), "", [around[0] for around in self.open]])

    def handle_endtag(self, tag):
        assert self.open[-1][0] == tag, f"<{self.open[-1][0]}> is not closed"
        self.open.pop()

    def handle_data(self, data):
        if self.open:
            self.open[-1][2] += data

    def all(self, tag, inside="html"):
        """(attributes, text) of each element of a tag inside another one."""
        return [(attrs, text) for name, attrs, text, around in self.elements
                if name == tag and inside in (*around, "html")]

    def words(self):
        """The text of each word, with its class."""
        return [(text, attrs["class"]) for attrs, text in self.all("span", "main")]

    def paragraphs(self):
        """(attributes, its words) of each paragraph of the text."""
        found = []
        for tag, attrs, text, around in self.elements:
            if "main" in around and tag == "p":
                found.append((attrs, []))
            elif "main" in around and tag == "span":
                found[-1][1].append(text)
        return found

    def data(self):
        """What the script reads, columns as arrays."""
        (text,) = (text for attrs, text in self.all("script") if attrs.get("type") == "application/json")
        data = json.loads(text)
        for model in data["models"]:
            model["columns"] = {name: np.frombuffer(b64decode(packed), f"<{kind}")
                                for name, (kind, packed) in model["columns"].items()}
        return data

    def head(self):
        """The table: a dict from label to the texts of its cells."""
        found = {}
        for tag, _, text, _ in self.elements:
            if tag == "th":
                cells = found[text] = []
            elif tag == "td":
                cells.append(text)
        return found

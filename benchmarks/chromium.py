"""A headless Chromium, driven over a pipe by its DevTools protocol, without a package.

    with Chromium(find_chromium()) as browser:
        browser.open("test.html")
        browser.run("document.title")

As a command, a picture of a page with the pointer at an element:

    python benchmarks/chromium.py test.html page.png --point "#s24 span:nth-of-type(6)"
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from contextlib import ExitStack
from itertools import count
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--headless=new", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions",
         "--disable-background-networking", "--remote-debugging-pipe")


def find_chromium():
    """The path of a Chromium on this machine, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


# Chromium reads commands from descriptor 3 and writes answers to 4, which the pipes may
# have themselves, the wrong way round.
LAUNCHER = """import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Chromium:
    """One window with one page.

    path : of the browser.  size : of the window, in pixels.
    """

    def __init__(self, path, size=(1100, 900)):
        self.path, self.size, self.numbers, self.held, self.events = path, size, count(1), b"", []

    def __enter__(self):
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            self._start(folder, stack)
            pages = [target for target in self.call("Target.getTargets")["targetInfos"] if target["type"] == "page"]
            self.session = self.call("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.page(f"{domain}.enable")
            self.page("Emulation.setFocusEmulationEnabled", enabled=True)  # as if the window were in front
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        with self.stack:
            self.call("Browser.close")
            self.process.wait(timeout=30)

    def _start(self, folder, stack):
        """Start the browser, with a pipe to it and one from it."""
        its_in, self.out = os.pipe()
        self.into, its_out = os.pipe()
        for end in (self.out, self.into):
            stack.callback(os.close, end)
        alone = [] if os.geteuid() else ["--no-sandbox"]  # Chromium has no sandbox for root
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, str(its_in), str(its_out), self.path, *FLAGS, *alone,
             f"--user-data-dir={folder}", f"--window-size={self.size[0]},{self.size[1]}", "about:blank"],
            pass_fds=(its_in, its_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(self.process.wait)
        stack.callback(self.process.kill)
        for end in (its_in, its_out):
            os.close(end)

    def call(self, method, session=None, **params):
        """The result of a command of the protocol."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def page(self, method, **params):
        """The result of a command about the page."""
        return self.call(method, self.session, **params)

    def _next(self):
        while b"\0" not in self.held:
            block = os.read(self.into, 1 << 20)
            if not block:
                raise RuntimeError(f"{self.path} ended")
            self.held += block
        message, self.held = self.held.split(b"\0", 1)
        return json.loads(message)

    def open(self, path):
        """Load a file; returns the seconds until all of it was loaded."""
        started = time.perf_counter()
        self.page("Page.navigate", url=Path(path).resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())
        self.events = [event for event in self.events if event.get("method") != "Page.loadEventFired"]
        return time.perf_counter() - started

    def run(self, script):
        """The value of a JavaScript expression in the page."""
        answer = self.page("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description", script))
        return answer["result"].get("value")

    def press(self, key, control=False):
        """Press and release a key, by its name in JavaScript."""
        for kind in ("rawKeyDown", "keyUp"):
            self.page("Input.dispatchKeyEvent", type=kind, key=key, code=key, modifiers=2 * control,
                      windowsVirtualKeyCode={"Tab": 9, "Escape": 27}.get(key, 0))

    def point(self, selector):
        """Move the mouse to the middle of an element.

        The browser moves what is under the mouse a frame or more after the page has
        scrolled or changed its size: the mouse is moved again until it is there.
        """
        element = f"document.querySelector({selector!r})"
        for _ in range(100):
            x, y = self.run("(e => {e.scrollIntoView({block: 'center'}); const r = e.getClientRects()[0]; "
                            f"return [r.x + r.width / 2, r.y + r.height / 2]}})({element})")
            self.page("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
            if self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame("
                        f"() => done({element}.matches(':hover')))))"):
                return
        raise RuntimeError(f"something is in front of {selector}")

    def prefer(self, scheme, width=None):
        """Show the page as somebody wants it who prefers "light" or "dark".

        width : of a phone's screen; None: that of the window.
        """
        self.page("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        if width:
            self.page("Emulation.setDeviceMetricsOverride", width=width, height=2 * width, deviceScaleFactor=1,
                      mobile=True)

    def screenshot(self, path):
        """Write what the window shows into a PNG file."""
        Path(path).write_bytes(b64decode(self.page("Page.captureScreenshot", format="png")["data"]))

    def complaints(self):
        """What the browser reported, such as what the page's policy forbade."""
        return [event["params"] for event in self.events
                if event.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")]

    def requested(self):
        """The addresses that the browser was asked to load."""
        return [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent"]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", help="HTML file")
    parser.add_argument("picture", help="PNG file to write")
    parser.add_argument("--point", help="CSS selector of the element at which the mouse points")
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    parser.add_argument("--size", type=int, nargs=2, default=(840, 756), help="width and height in pixels")
    parser.add_argument("--browser", default=find_chromium(), help="path of Chromium or Chrome")
    options = parser.parse_args(argv)
    if options.browser is None:
        sys.exit("no Chromium is installed: install it, or give --browser PATH")
    with Chromium(options.browser, options.size) as browser:
        browser.prefer(options.scheme)
        browser.open(options.page)
        if options.point:
            browser.point(options.point)
        browser.screenshot(options.picture)


if __name__ == "__main__":
    main()

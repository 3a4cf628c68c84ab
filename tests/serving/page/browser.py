"""A headless Chromium on the editor page, and what a person would do there."""

import base64
import contextlib
import io
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@contextlib.contextmanager
def chromium(width=1366, height=768, flags=(), gpu=False):
    """Starts the browser; skips the test, loudly, where there is none.

    Args:
        width, height: of the page.
        flags: more of the command line.
        gpu: leave the parts on that a graphics card is for.

    Yields:
        `selenium.webdriver.Chrome`, which writes downloads to its attribute `downloads`.
    """
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (browser and driver):
        pytest.skip("NO CHROMIUM: apt-get install chromium chromium-driver to run this test")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory() as directory:
        flags = [*flags, *([] if gpu else ["--disable-gpu"])]
        for flag in (*_FLAGS, *flags, f"--user-data-dir={directory}/profile"):
            options.add_argument(flag)
        service = webdriver.ChromeService(executable_path=driver)
        chrome = webdriver.Chrome(options=options, service=service)
        try:
            resize(chrome, width, height)
            chrome.downloads = Path(directory) / "downloads"
            chrome.downloads.mkdir()
            chrome.execute_cdp_cmd(
                "Page.setDownloadBehavior",
                {"behavior": "allow", "downloadPath": str(chrome.downloads)},
            )
            yield chrome
        finally:
            chrome.quit()


def resize(chrome, width, height):
    """Makes the page itself this large, and waits until it is laid out anew."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    chrome.execute_async_script(
        "const [width, done] = arguments;"
        "const look = () => innerWidth === width ? requestAnimationFrame(done)"
        " : requestAnimationFrame(look);"
        "look();",
        width,
    )


class Editor:
    """The page of a running server.

    Args:
        chrome: from `chromium`.
        url: of the server, which leads to its model.
        expected: the state that the page comes to. Defaults to "ready".
    """

    def __init__(self, chrome, url, expected="ready"):
        self.chrome = chrome
        chrome.get(url)
        self.wait(expected)

    def wait(self, *states, seconds=60):
        """Waits until the page is in one of the states: ready, busy or error."""
        end = time.monotonic() + seconds
        while (state := self.find("body").get_attribute("data-state")) not in states:
            assert time.monotonic() < end, (state, self.error(), self.console())
            time.sleep(0.03)

    def find(self, selector):
        """The element of a CSS selector."""
        return self.chrome.find_element("css selector", selector)

    def all(self, selector):
        """All elements of a CSS selector."""
        return self.chrome.find_elements("css selector", selector)

    def click(self, selector):
        """Clicks an element."""
        self.find(selector).click()

    def keys(self, *keys, on="body"):
        """Types into an element."""
        self.find(on).send_keys(*keys)

    def drag(self, canvas, *points):
        """Presses at the first point of a canvas, moves over the others, lets go.

        Args:
            canvas: CSS selector.
            *points: (x, y) in pixels of the label map.
        """
        from selenium.webdriver.common.action_chains import ActionChains

        element = self.find(canvas)
        size = self.chrome.execute_script(
            "const c = arguments[0], r = c.getBoundingClientRect();"
            "return [c.width, c.height, r.width, r.height]",
            element,
        )
        width, height, shown_width, shown_height = size

        def offset(x, y):
            # Selenium counts from the middle.
            return (
                round((x + 0.5) * shown_width / width - shown_width / 2),
                round((y + 0.5) * shown_height / height - shown_height / 2),
            )

        chain = ActionChains(self.chrome, duration=20)
        chain.move_to_element_with_offset(element, *offset(*points[0])).click_and_hold()
        for point in points[1:]:
            chain.move_to_element_with_offset(element, *offset(*point))
        chain.release().perform()

    def pixels(self, canvas):
        """What a canvas holds: uint8 (H, W, 4)."""
        url = self.chrome.execute_script(
            "return document.querySelector(arguments[0]).toDataURL()", canvas
        )
        return _read_data_url(url)

    def wait_for_picture(self, picture, seconds=20):
        """Waits until the picture on screen is this one, uint8 (H, W, 4)."""
        end = time.monotonic() + seconds
        while not np.array_equal(self.pixels("#picture"), picture):
            assert time.monotonic() < end, "another picture is shown"
            time.sleep(0.05)

    def wait_for_drawing(self, variants):
        """Waits until this many pictures were generated, and the newest is on screen."""
        end = time.monotonic() + 60
        while (count := len(self.all("#variants li"))) != variants:
            assert time.monotonic() < end, (count, self.error(), self.console())
            time.sleep(0.03)
        self.wait("ready")

    def wait_for_size(self, height, width):
        """Waits until the label map on screen has this size: a dialog acts after it has closed."""
        end = time.monotonic() + 20
        while (size := self.pixels("#labels").shape[:2]) != (height, width):
            assert time.monotonic() < end, (size, self.error(), self.console())
            time.sleep(0.03)

    def wait_until_shown(self, selector):
        """Waits until an element is on screen."""
        end = time.monotonic() + 20
        while not self.find(selector).is_displayed():
            assert time.monotonic() < end, (selector, self.error(), self.console())
            time.sleep(0.03)

    def upload(self, path):
        """Opens a file as the user would with the dialog."""
        self.find("#file").send_keys(str(path))

    def download(self, selector):
        """Clicks and returns the bytes of the file that comes."""
        before = set(self.chrome.downloads.iterdir())
        self.click(selector)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            new = [
                path
                for path in set(self.chrome.downloads.iterdir()) - before
                # Chromium writes into a file with a dot in front, or with this ending.
                if path.suffix != ".crdownload" and not path.name.startswith(".")
            ]
            if new:
                content = new[0].read_bytes()
                new[0].unlink()
                return content
            time.sleep(0.05)
        raise AssertionError("no file was downloaded")

    def error(self):
        """The message that is shown, or ""."""
        return self.find("#error-text").text if self.find("#error").is_displayed() else ""

    def console(self):
        """What the browser complained of since the last call."""
        return [entry["message"] for entry in self.chrome.get_log("browser")]


def _read_data_url(url):
    data = base64.b64decode(url.split(",", 1)[1])
    return np.array(Image.open(io.BytesIO(data)).convert("RGBA"))

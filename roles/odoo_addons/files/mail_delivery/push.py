# SPDX-License-Identifier: LGPL-3.0-or-later
"""Tells the bridges, in the background, that a database's addresses may have changed.

A push carries no addresses and no token, only what is needed to know who speaks: the bridge then
asks for the list itself. One that does not arrive costs nothing but time, as bridges also poll.
"""

import hashlib
import hmac
import json
import logging
import os
import re
import threading
import time
from urllib.parse import urlsplit

import requests
from odoo import sql_db
from odoo.tools import config

_logger = logging.getLogger(__name__)

# Seconds: to connect, and then between bytes of the answer.
TIMEOUT = (3, 5)
# Seconds between the attempts: until a bridge that restarts is there again. A change in between ends the wait.
BACKOFF = (1, 3, 6)
BRIDGE_URL = re.compile(r"https?://[!-~]+")

_lock = threading.Lock()
_pushers = {}


def is_bridge_url(url):
    """Tell whether a text is the URL of a bridge's webhook: http or https, without a login in it."""
    try:
        parts = urlsplit(url)
        # Reading the port checks it.
        return bool(BRIDGE_URL.fullmatch(url) and parts.hostname and parts.port != 0 and "@" not in parts.netloc)
    except ValueError:
        return False


def bridge_urls(value):
    """Return the usable URLs in the value of mail_delivery.bridges, which blanks separate."""
    words = dict.fromkeys((value or "").split())
    usable = [word for word in words if is_bridge_url(word)]
    if len(usable) != len(words):
        _logger.warning("mail_delivery.bridges names %d bridges by what is no URL", len(words) - len(usable))
    return usable


def signature(token, timestamp, body):
    """Return the hex HMAC-SHA256 that proves knowledge of the token without telling it.

    ``timestamp`` (text) is in seconds since 1970, ``body`` is bytes.
    """
    return hmac.new(token.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def push(database, url, token):
    """Post one push and return an empty text, or why it failed."""
    body = json.dumps({"database": database}).encode()
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Mail-Timestamp": timestamp,
        "X-Mail-Signature": signature(token, timestamp, body),
    }
    try:
        with requests.Session() as session:
            # Neither a proxy nor a login from this machine's own settings.
            session.trust_env = False
            answer = session.post(url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True)
    except (requests.RequestException, OSError, ValueError) as error:
        return f"no answer ({type(error).__name__})"
    return "" if answer.status_code == 202 else f"answered HTTP {answer.status_code}"


class Pusher:
    """The pushes of one database to one bridge: one at a time, and one more for all that came meanwhile."""

    def __init__(self, database, url):
        self.database = database
        self.url = url
        self.token = ""
        self.wanted = threading.Event()
        self.running = False

    def want(self, token):
        """Have a push made; returns at once. The caller holds the lock."""
        self.token = token
        self.wanted.set()
        if not self.running:
            self.running = True
            threading.Thread(target=self.run, name="mail_delivery.push", daemon=True).start()

    def run(self):
        while self.is_wanted():
            try:
                self.deliver()
            except Exception:  # a thread has nobody else who would hear of it
                _logger.exception("The push to %s broke", self.url)

    def is_wanted(self):
        with _lock:
            self.running = self.wanted.is_set()
            return self.running

    def deliver(self):
        for pause in (*BACKOFF, None):
            self.wanted.clear()
            problem = push(self.database, self.url, self.token)
            if not problem:
                return
            # What changes meanwhile is pushed at once, with all attempts before it.
            if pause is None or self.wanted.wait(pause):
                break
        if not self.wanted.is_set():
            _logger.warning("%s was not told of changed addresses: %s", self.url, problem)
            keep_failure(self.database, self.url, problem)


def keep_failure(database, url, problem):
    """Enter a failed push among the errors that the settings page shows."""
    with sql_db.db_connect(database).cursor() as cr:
        cr.execute(
            """
            INSERT INTO mail_delivery_error (bridge, text, create_date, write_date)
                 VALUES (%s, %s, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
            """,
            (url, f"push: {problem}"),
        )


def wake(database, urls, token):
    """Have these bridges told, in the background, that the addresses of a database may have changed."""
    if config["test_enable"]:
        # Odoo's tests commit nothing, so there is nothing to tell.
        return
    with _lock:
        for url in urls:
            pusher = _pushers.get((database, url))
            if pusher is None:
                pusher = _pushers[database, url] = Pusher(database, url)
            pusher.want(token)


def _forget():
    """Begin anew in a worker that was just forked: the threads of its parent are not there."""
    global _lock
    _lock = threading.Lock()
    _pushers.clear()


os.register_at_fork(after_in_child=_forget)

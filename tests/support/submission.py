# SPDX-License-Identifier: GPL-3.0-or-later
"""A provider's submission server: STARTTLS, then AUTH PLAIN against whatever knows the passwords. It takes any mail."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable

from support.scripted_smtp import Script, Talk


def submission(tls: ssl.SSLContext, right: Callable[[str, bytes], bool]) -> Script:
    """Return the script; `right` says whether a login has a password."""

    def script(talk: Talk) -> None:
        talk.say("220 smtp.example ESMTP")
        secure = False
        while True:
            verb, _space, rest = talk.hear().partition(" ")
            verb = verb.upper()
            if verb == "EHLO":
                talk.say("250-smtp.example", "250 AUTH PLAIN" if secure else "250 STARTTLS")
            elif verb == "STARTTLS":
                talk.say("220 go on")
                talk.secure(tls)
                secure = True
            elif verb == "AUTH":
                _none, login, password = base64.b64decode(rest.partition(" ")[2]).split(b"\0")
                talk.say("235 welcome" if right(login.decode(), password) else "535 5.7.8 authentication failed")
            elif verb == "DATA":
                talk.say("354 go on")
                while talk.hear_text() != ".":
                    pass
                talk.say("250 taken")
            else:
                talk.say("221 bye" if verb == "QUIT" else "250 ok")

    return script

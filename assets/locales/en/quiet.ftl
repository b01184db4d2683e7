### Messages that disappear, and what is told of the moment: typing, what was read.

disappearing = Disappearing messages
disappearing-short = Disappearing
disappearing-off = Off
disappearing-now = Disappearing messages, { $when }
set-disappearing = Set disappearing messages
disappearing-explained = The time holds for what you write here, on all your devices. What { $name } writes follows the time that { $name } chose.
disappearing-explained-note = The time holds for notes that you write from now on, on all your devices.
disappearing-stays = What is here already keeps its own time.
expire-off = Off
expire-off-explained = Messages stay.
expire-read = After read
expire-read-explained = Counted from when each is read.
expire-sent = After send
expire-sent-explained = Counted from when each is sent.
expire-times = Time
set-timer = Set
follow-setting = Follow setting
follow-setting-of = Follow setting, { $when }

disappears-in = disappears in { $time }
disappears-when = disappears { $when }
short-weeks = { $count }w
short-days = { $count }d
short-hours = { $count }h
short-minutes = { $count }m
short-seconds = { $count }s

typing = typing…
is-typing = { $name } is typing

privacy = Privacy
read-receipts = Read receipts
read-receipts-explained = Contacts see when you have read their messages, and you see when they have read yours.
typing-indicators = Typing indicators
typing-indicators-explained = Contacts see when you are typing, and you see when they are.

### English. Names of strings are stable; sentences end with a full stop, labels do not.

app-name = Septet
cancel = Cancel
close = Close
done = Done
back = Back
open = Open
you = You

## Days and lengths of time

today = Today
yesterday = Yesterday
monday = Monday
tuesday = Tuesday
wednesday = Wednesday
thursday = Thursday
friday = Friday
saturday = Saturday
sunday = Sunday
mon = Mon
tue = Tue
wed = Wed
thu = Thu
fri = Fri
sat = Sat
sun = Sun
month-1 = Jan
month-2 = Feb
month-3 = Mar
month-4 = Apr
month-5 = May
month-6 = Jun
month-7 = Jul
month-8 = Aug
month-9 = Sep
month-10 = Oct
month-11 = Nov
month-12 = Dec
date = { $day } { $month }
date-with-year = { $day } { $month } { $year }
weeks = { $count ->
    [one] { $count } week
   *[other] { $count } weeks
}
days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}

## Sizes

size-bytes = { $count ->
    [one] { $count } byte
   *[other] { $count } bytes
}
size-kb = { $size } kB
size-mb = { $size } MB

## The list

search-hint = Search or paste an ID
search-shortcut = Ctrl K
clear-search = Empty the search field
new-conversation = New conversation
your-account = Your account
settings = Settings
message-requests = Message requests
message-requests-count = { $count ->
    [one] Message requests, { $count } waiting
   *[other] Message requests, { $count } waiting
}
all-conversations = All conversations
note-to-self = Note to Self
draft = Draft:
you-sent = You sent: { $what }
they-sent = Sent: { $what }
list-empty = No conversations yet. Paste somebody's Account ID into the field above to write to them.
message-this-id = Message this ID
find-name = Find the account called
looking-up = Asking the network for this name…
row-label = { $count ->
    [0] { $name }
    [one] { $name }, { $count } unread message
   *[other] { $name }, { $count } unread messages
}
mark-read = Mark as read
pin = Pin
unpin = Unpin
copy-account-id = Copy Account ID
account-id-copied = Account ID copied

## Path

connected = Connected
connecting = Connecting…
offline = Offline
path = Path
show-path = Show the path
path-explained = Your messages travel through three nodes, each of which knows only its neighbours. None knows both who sends and what is sent to whom.
path-you = You
path-entry = Entry node
path-middle = Relay
path-exit = Last node
path-destination = Destination

## A conversation

nothing-open = Choose a conversation, or start a new one
conversation-menu = Conversation menu
muted = Muted
blocked = Blocked
expiry-after-read = { $time } after read
expiry-after-sent = { $time } after sent
unread-line = New
jump-to-latest = { $count ->
    [0] Jump to latest
    [one] Jump to latest, { $count } new message
   *[other] Jump to latest, { $count } new messages
}
go-to-quoted = Go to the quoted message

## Messages

state-preparing = Preparing
state-sending = Sending
state-sent = Sent
state-read = Read
state-failed = Not sent
not-sent-sentence = This message could not be sent.
try-again = Try again
send-again = Send again
reply = Reply
more = More
copy-message = Copy message
message-copied = Message copied
nothing-to-copy = This message has no text to copy.
picture = Picture
pictures = { $count ->
    [one] Picture
   *[other] { $count } pictures
}
file = File
files = { $count ->
    [one] File
   *[other] { $count } files
}
voice-message = Voice message
notice-you-accepted = You accepted the message request of { $name }
notice-they-accepted = { $name } accepted your message request
notice-expiry-off = { $name } turned disappearing messages off
notice-expiry-read = { $name } set messages to disappear { $time } after they are read
notice-expiry-sent = { $name } set messages to disappear { $time } after they are sent
notice-media-saved = { $name } saved a picture or file of yours
notice-screenshot = { $name } took a screenshot
notice-missed-call = { $name } tried to call you
notice-community = Invitation to the community { $room }
notice-group = Invitation to the group { $group }
notice-unreadable-own = This version cannot show what you sent from another device. It is kept: update Septet to see it.
notice-unreadable = This version cannot show what { $name } sent. It is kept: update Septet to see it.
update-wanted = Something was sent to you that this version cannot show. It is kept: update Septet to see it.
update-wanted-close = Not now

## Files

file-preparing = { $total } · preparing
file-sending = { $done } of { $total } · sending
file-receiving = { $done } of { $total } · receiving
file-expired = Not on the server any more
file-unusable = Cannot be opened: its address or key is missing
stop-sending = Stop sending
stop-receiving = Stop receiving
download = Download
save-as = Save as…
saved = Saved as { $path }
no-file-dialog = This system shows no file dialog. Drop files on the window instead.
previous = Previous picture
next = Next picture

## Writing

drop-here = Drop to add to your message
composer-hint = Message
message-field = Message
attach = Attach pictures or files
send = Send
do-not-reply = Do not reply
remove-file = Remove { $name }
too-many-files = A message has at most { $limit } files.
file-too-large = { $name } is larger than 10 MB, which is the most the network takes.
file-empty = { $name } is empty.
file-may-tell-place = { $name } may say where it was made, and that cannot be taken out of it.

## Requests and blocking

request-explained = { $name } is not one of your contacts yet. Unless you accept, they do not learn that you have seen this.
accept = Accept
decline = Decline
block = Block
unblock = Unblock
decline-heading = Decline the request of { $name }?
decline-text = Its messages are deleted on all your devices. If they write again, it is a new request.
block-heading = Block { $name }?
block-text = You will not see what they write from now on, on any of your devices. They are not told. You find them again under Blocked contacts.
blocked-explained = You blocked this account, so its messages do not reach you.

## Links

open-link = Open this link?
open-link-text = Your browser will visit { $host }, and that host will see your address.

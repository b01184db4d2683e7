### What is done to messages: reactions, answers, deletion, choosing several.

## Deleted messages

message-deleted = This message was deleted
message-deleted-here = You deleted this message on this device
deleted-here = { $count ->
    [one] Message deleted on this device
   *[other] { $count } messages deleted on this device
}
row-deleted = Message deleted
undo = Undo
delete = Delete
delete-heading = { $count ->
    [one] Delete this message?
   *[other] Delete { $count } messages?
}
delete-everyone = For everyone
delete-everyone-about = From all your devices and the other's. A device that is offline follows when it is back; what was read or saved before cannot be taken back.
delete-all-mine = On all my devices
delete-all-mine-about = No trace of it stays, here or there.
delete-here = On this device only
delete-here-about = Your other devices and the other person keep it.
delete-here-note-about = Your other devices keep it.
delete-here-only = Only this device forgets it. Your other devices and the other person keep it.

## Reactions

react = React
react-with = React with { $emoji }
react-not-with = Take back { $emoji }
reacted = { $more ->
    [0] { $names } reacted with { $emoji }
    [one] { $names } and { $more } other reacted with { $emoji }
   *[other] { $names } and { $more } others reacted with { $emoji }
}
reactions = Reactions
reactions-all = Show all reactions
reactions-who = Who reacted
reactions-with = { $count ->
    [one] { $emoji }, { $count } person
   *[other] { $emoji }, { $count } people
}
reaction-remove = Take back your reaction

## Choosing an emoji

emoji-all = All emoji
emoji-search = Search emoji
emoji-tone = Skin tone
emoji-hint = Arrows choose, Enter takes
emoji-nothing = No emoji has this name
emoji-found = Found
emoji-recent = Recent
emoji-smileys = Smileys and feelings
emoji-people = People
emoji-animals = Animals and nature
emoji-food = Food and drink
emoji-travel = Travel and places
emoji-activities = Activities
emoji-objects = Objects
emoji-symbols = Symbols
emoji-flags = Flags

## Answers

quote-missing = Original message not available
quote-missing-sentence = The original message is not available: it was deleted, or it never came to this device.

## Choosing several

select = Select
select-end = Stop selecting
selected = { $count ->
    [one] { $count } selected
   *[other] { $count } selected
}
copy-selected = Copy selected messages
selected-copied = { $count ->
    [one] Message copied
   *[other] { $count } messages copied
}
save-selected = Save files of selected messages
delete-selected = Delete selected messages
copy-link = Copy link
link-copied = Link copied

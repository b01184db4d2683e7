### The details of a conversation, and what is done with a whole one.

contact-details = Contact details
note-details = Details
close-details = Close details
picture-of = Picture of { $name }

nickname = Nickname
set-nickname = Set nickname
change-nickname = Change nickname
nickname-explained = Only you see it, on all your devices. Leave it empty to see their own name.
public-name = Public name: { $name }

mute = Mute
unmute = Unmute
mute-for-good = Until you switch it on
muted-until = Until { $time }
mark-unread = Mark as unread
marked-unread = Marked as unread
hidden = Hidden

hide-note = Hide Note to Self
hide-conversation = Hide conversation
show-in-list = Show in list
delete-conversation = Delete conversation
delete-notes = Delete all notes
delete-contact = Delete contact

hide-heading = Hide the conversation with { $name }?
hide-text = It leaves the list. Its messages stay on this device and are deleted on your other devices. You find it again under Hidden conversations.
delete-conversation-heading = Delete the conversation with { $name }?
delete-conversation-text = All messages between you and { $name }, with their files, are deleted on all your devices. { $name } keeps their copies and stays your contact.
delete-notes-heading = Delete all notes?
delete-notes-text = Everything you wrote to yourself is deleted from this device, files included. Your other devices keep their copies.
delete-contact-heading = Delete { $name }?
delete-contact-text = { $name } is removed from your contacts on all your devices, and all messages between you, with their files, are deleted there. If they write again, it is a new request.

hidden-conversations = Hidden conversations
hidden-conversations-count = { $count ->
    [one] Hidden conversations, { $count }
   *[other] Hidden conversations, { $count }
}
blocked-contacts = Blocked contacts
blocked-contacts-count = { $count ->
    [one] Blocked contacts, { $count }
   *[other] Blocked contacts, { $count }
}

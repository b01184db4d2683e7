## Who asks to write to us

stranger-self-chosen = A name they chose for themselves
stranger-no-name = They gave no name
stranger-no-contact = Not a contact
stranger-messages = { $count ->
    [one] { $count } message so far
   *[other] { $count } messages so far
}
stranger-spoken = Message request of { $name }, a name they chose for themselves. Not a contact.

## Whom we ask

request-waits = { $name } has not accepted you yet. You can write; files and voice messages wait until then.
request-first = Your first message asks { $name } to accept you. Files and voice messages wait until then.
files-wait = Files can be sent once you are accepted

## All of them

decline-all = Decline all
decline-all-heading = { $count ->
    [one] Decline this request?
   *[other] Decline all { $count } requests?
}
decline-all-text = Their messages are deleted on all your devices. Nobody is told, and nobody is blocked.
no-requests = No message requests. When somebody who is not a contact writes to you, it waits here.

## Blocked contacts

choose-blocked = Choose { $name }
choose-blocked-explained = Choose by their circles whom to unblock.
unblock-chosen = { $count ->
    [one] Unblock { $count } contact
   *[other] Unblock { $count } contacts
}
unblock-heading = { $count ->
    [one] Unblock this contact?
   *[other] Unblock { $count } contacts?
}
unblock-text = What they write from now on reaches you again. What they wrote meanwhile does not.

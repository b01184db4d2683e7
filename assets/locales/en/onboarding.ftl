### First run.

## Two ways in

welcome-title = Welcome to Septet
welcome-text = Private messages over the Session network: no phone number, no address, no company in between.
create-account = Create account
have-account = I have an account

## A new account

create-title = What should people call you?
create-text = A name, or anything else that others will see. You can change it at any time.
display-name = Display name
create = Create account
creating = Creating…
name-empty = A name needs at least one character that can be seen.
name-too-long = { $over ->
    [one] One byte over the limit of { $limit }. A plain letter takes one byte, others take two or three, an emoji four or more.
   *[other] { $over } bytes over the limit of { $limit }. A plain letter takes one byte, others take two or three, an emoji four or more.
}

## Its recovery password

keep-title = Keep your recovery password
keep-text = These 13 words are your account. With them you get it back if you lose this device, and so does anybody who finds them. Nobody can give you new ones.
later = Later
kept = I have kept it

## An account is brought back

restore-title = Welcome back
restore-text = Type or paste your recovery password. 13 words, 12 BIP-39 words or a QR picture all work.
restore-hint = Pasting works in any field: all words at once, with or without numbers, or the 32 digits.
open-qr = Open QR picture
restore = Restore
word-number = Word { $number }
words-so-far = { $filled } of { $of } words.
word-unknown = Word { $number } is not in the list.
word-meant = Did you mean
word-meant-or = or
use-word = Use { $word }
words-good = The words fit together. They are the account { $id }.
words-good-bip39 = The 12 words fit together. They are the account { $id }.
too-few-words = { $found ->
    [one] A recovery password has 13 words; here is one.
   *[other] A recovery password has 13 words; here are { $found }.
}
too-many-words = A recovery password has 13 words; these are { $found }. Longer phrases belong to other programs.
words-do-not-fit = All words are in the list, but they do not fit together. One is wrong, or two have changed places.
words-impossible = These words cannot stand together in a recovery password. Check each of them.
bip39-does-not-fit = All 12 are BIP-39 words, but they do not fit together. One is wrong, or two have changed places.
hex-length = A recovery key in digits has 32 of them, 0 to 9 and a to f.
looks-like-id = This is an Account ID, which anyone may know. To restore, the recovery password is needed.
qr-none = There is no QR code on this picture that can be read. Try a sharper or larger one.
qr-unreadable = This file is not a picture that can be opened. PNG, JPEG, WebP and GIF work.

coming-title = Bringing your account back
coming-text = Your contacts and the messages of the last 14 days come from the network.
coming-connecting = Connecting to the network
coming-profile = Looking for your profile
coming-messages = Fetching messages
coming-messages-count = { $count ->
    [one] Fetching messages, { $count } so far
   *[other] Fetching messages, { $count } so far
}
stopping = Stopping…

name-missing-title = What should people call you?
name-missing-text = Your account is here, but its name was not found on the network. Enter one; others will see it.
continue = Continue
saving = Saving…

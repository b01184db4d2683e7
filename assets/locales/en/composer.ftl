### Where messages are written, and what stands in them: links, mentions, long texts, invitations.

too-long = A message has at most { $limit } characters. Send it in parts.
characters-left = { $count ->
    [one] { $count } character left
   *[other] { $count } characters left
}

emoji-to-write = Emoji

link-offer = Show previews of links you send?
link-offer-text = Septet then visits each link you write, to send its title and picture along. The website sees your IP address. People who receive a preview visit nothing.
link-offer-on = Turn on
link-offer-off = Not now
link-preview-loading = Looking at the link…
link-preview-of = Preview: { $title }, { $host }
link-preview-hide = Send without a preview

read-more = Read more
read-less = Show less

community-invitation = Invitation to a community
community-not-yet = Joining communities is not possible yet
community-not-yet-text = This version of Septet cannot join { $room } on { $host }. You can copy the address and keep it, or join with another app.
community-copy = Copy address
community-copied = Address copied

### Our own page.

name-seen = Others see this name.
no-name = No name yet
name-waits = Waiting for your profile
profile-waits = Your profile will appear when you are connected.
change-name = Change name
save = Save
copy = Copy

your-picture = Your picture
add-picture = Add picture
change-picture = Change picture
remove-picture = Remove picture
remove-picture-heading = Remove your picture?
remove-picture-text = People will see the first letters of your name instead, on all their devices and yours. Septet does not keep the picture.
remove = Remove
opening-picture = Opening picture…
setting-picture = Setting picture…
stop-setting = Stop
discard = Discard
drop-picture = Drop to use it as your picture
picture-not-set = Your picture was not changed. { $reason }
picture-no-file = This file cannot be read. Is it still there, and are you allowed to open it?
picture-unreadable = This is not a picture that can be opened. PNG, JPEG, WebP and GIF work.
picture-too-large = This picture is too large to be opened. Make it smaller, or choose another one.
no-picture-pasted = There is no picture on the clipboard.

crop-title = What people will see
crop-part = The part of the picture that people will see
crop-hint = Drag the picture or use the arrow keys. Scroll, + and − change its size.
crop-moves = This is an animation. Only its first picture will be used.
crop-reset = Start over
zoom = Size
zoom-out = Smaller
zoom-in = Larger
set-picture = Set picture

account-id = Account ID
account-id-explained = Give it to people who should be able to write to you. It is not secret.
account-id-code = QR code of your Account ID
account-id-code-large = Large QR code of your Account ID
account-id-scan = Somebody who scans this with a Session app can write to you.
account-id-file = Account ID { $start }.png
enlarge-code = Enlarge QR code
close-code = Close QR code
copy-code = Copy code
code-copied = QR code copied as a picture

recovery-password = Recovery password
recovery-explained = Whoever has these 13 words has your account. Keep them where only you can find them: they are the only way back if you lose this device.
show-recovery = Show recovery password
copy-recovery = Copy recovery password
secret-copied = Copied. The clipboard is emptied in one minute.
no-clipboard = The clipboard of this system cannot be used. Write the words down instead.
show-code = Show QR code
hide-code = Hide QR code
hide = Hide
recovery-code = QR code of your recovery password
recovery-code-explained = Any Session app can restore the account from this code. Do not let anybody photograph it.
bip39 = As 12 BIP-39 words
bip39-explained = The same secret in the form that many wallets use. This is an extra of Septet: other Session apps know the 13 words only.
copy-bip39 = Copy 12 words
hides-in = { $seconds ->
    [one] Hidden again in { $seconds } second.
   *[other] Hidden again in { $seconds } seconds.
}

looks = Looks
theme = Theme
theme-system = System
theme-dark = Dark
theme-light = Light
accent = Accent
accent-blue = Blue
accent-green = Green
accent-yellow = Yellow
accent-orange = Orange
accent-red = Red
accent-pink = Pink
accent-purple = Purple

about = Septet { $version } · free software under the GNU GPL, version 3 or later
about-independent = Made independently of the Session Technology Foundation, for the same network.

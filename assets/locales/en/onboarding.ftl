### First run.

welcome-title = Welcome to Septet
welcome-text = Private messages over the Session network: no phone number, no address, no company in between.
create-account = Create account
have-account = I have an account
create-title = What should people call you?
create-text = A name or anything else that others will see. You can change it at any time.
display-name = Display name
create = Create
name-empty = Enter a name.
name-too-long = This name is too long. Please choose a shorter one.
restore-title = Welcome back
restore-text = Type or paste your recovery password. 13 words or 12 BIP-39 words both work.
restore = Restore
restore-connecting = Connecting to the network…
restore-fetching = Fetching your account…
restore-applying = Putting your conversations in place…

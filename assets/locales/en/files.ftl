## Whose files come by themselves

files-heading = Download files from { $name }?
files-text = Pictures and files that { $name } sends can be downloaded by themselves from now on, on this device. You can change this in the details of the conversation.
files-all = Yes
files-one = Only this one
files-none = No
files-automatic = Download files by themselves
switched-on = On
switched-off = Off
click-to-download = Click to download

## What is done with them

open-file = Open
save-all = { $count ->
    [one] Save the file…
   *[other] Save all { $count } files…
}
saved-all = { $count ->
    [one] Saved one file in { $folder }
   *[other] Saved { $count } files in { $folder }
}
open-risky = Open { $name }?
open-risky-text = This file can contain a program or a page that does things on your computer or tells others where you are. Open it only if you know what it is.
open-anyway = Open it all the same
no-opener = This system has no program to open { $name } with. Save it instead.
